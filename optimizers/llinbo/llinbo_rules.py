"""Schedules and rules of LLINBO (Chang et al. 2025, sections 2.3 to 2.5); t is the round, starting at 1."""

from __future__ import annotations

import math

import numpy as np

from optimizers.llinbo.gaussian_process import Array, GaussianProcess
from optimizers.shared.unit_cube import Point


def exploration(step: int, dimensions: int) -> float:
    """beta_t = 2 ln(t d pi^2 / (6 delta)) with delta = 0.1."""
    return 2 * math.log(step * dimensions * math.pi**2 / 0.6)


def gp_probability(step: int, steps: int) -> float:
    """p_t = min(t^2 / T, 1)."""
    return min(step**2 / steps, 1.0)


def threshold(first_deviation: float, step: int) -> float:
    """psi_t = sigma_0(x_1) / t."""
    return first_deviation / step


def justified(model_ucb: float, gp_ucb: float, psi: float) -> bool:
    """Whether the model's point is accepted."""
    return model_ucb > gp_ucb - psi


def draw_count(step: int) -> int:
    """S_t = 10^4 / t^2, rounded down."""
    return 10_000 // step**2


def kept_draws(draws: Array, highest_mean: float) -> Array:
    """The imagined values above the largest posterior mean."""
    return draws[draws > highest_mean]


def mixture_ucb(process: GaussianProcess, points: Array, at: Point, values: Array, beta: float) -> Array:
    """Upper confidence bound of the GPs refitted with one imagined value each; shape (points,)."""
    mean, spread, deviation = process.imagined(points, at, values)
    return mean + beta * np.sqrt(deviation**2 + spread)
