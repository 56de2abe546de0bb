"""Incumbents and normalized regret: pure functions on arrays of losses. NaN stands for "not measured"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def incumbent_curve(losses: Sequence[float | None], worst: float | None) -> Floats:
    """Lowest loss after each proposal. Every proposal is charged: one that was not evaluated keeps the incumbent.

    Args:
        losses: A loss a proposal in order; None where it was invalid or its evaluation failed.
        worst: The incumbent before the first loss: the table's worst loss, or None where nobody knows it.

    Returns:
        Shape (proposals,), never rising; NaN before the first loss where ``worst`` is None.
    """
    start = np.nan if worst is None else worst
    filled = np.array([np.nan if loss is None else loss for loss in losses], dtype=np.float64)
    return np.fmin.accumulate(np.concatenate([[start], filled]))[1:]


def normalized_regret(losses: Floats, optimum: float | None, one_random: float | None) -> Floats:
    """(loss - optimum) / (E[loss of one random configuration] - optimum): 0 is the optimum, 1 one random draw.

    The scale is the one of Bayesmark (Turner et al. 2021, "Bayesian optimization is superior to random search",
    section 4), with the exact expectation in place of a simulated one. It can exceed 1.

    Args:
        losses: Any shape.
        optimum: Lowest possible loss, or None.
        one_random: Expected loss of a single uniformly drawn configuration, or None.

    Returns:
        The shape of ``losses``; all NaN where the optimum or the expectation is unknown or they coincide.
    """
    if optimum is None or one_random is None or not one_random > optimum:
        return np.full(losses.shape, np.nan)
    return (losses - optimum) / (one_random - optimum)


def stack_curves(curves: Sequence[Floats], proposals: int | None = None) -> Floats:
    """Curves of unequal length as one array: a run that ended keeps its last incumbent.

    Args:
        curves: A curve a run, each of shape (its proposals,) with at least one entry.
        proposals: Length of the result; None for the longest curve's.

    Returns:
        Shape (runs, proposals).
    """
    length = max(map(len, curves)) if proposals is None else proposals
    return np.stack([np.pad(curve[:length], (0, max(0, length - len(curve))), mode="edge") for curve in curves])
