"""Continuous values on a grid: the nearest level, and how often each level is the nearest."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import UniformFloatHyperparameter, UniformIntegerHyperparameter

from benchmarks.hpobench import LEVELS, continuous_space
from benchmarks.nearest import NearestGrid, Uniform, midpoints, probability_at_most
from benchmarks.table import Grid

HYPERPARAMETERS: list[Uniform] = [
    UniformFloatHyperparameter("f", -2.0, 7.0),
    UniformFloatHyperparameter("f", 1e-8, 1.0, log=True),
    UniformIntegerHyperparameter("i", 1, 3),
    UniformIntegerHyperparameter("i", 4, 256, log=True),
    UniformIntegerHyperparameter("i", 2, 5, log=True),
]


@pytest.mark.parametrize("uniform", HYPERPARAMETERS, ids=str)
def test_probabilities_against_samples(uniform: Uniform) -> None:
    samples = uniform.sample_value(size=200_000, seed=np.random.RandomState(0))
    for cut in np.quantile(samples, [0.05, 0.3, 0.5, 0.8, 0.99]):
        share = probability_at_most(uniform, float(cut))
        error = math.sqrt(max(share * (1 - share), 1e-9) / len(samples))
        assert abs(np.mean(samples <= cut) - share) < 4.5 * error


@pytest.mark.parametrize("uniform", HYPERPARAMETERS, ids=str)
def test_probabilities_end_at_one(uniform: Uniform) -> None:
    assert probability_at_most(uniform, uniform.upper) == pytest.approx(1.0)


def test_midpoints() -> None:
    assert midpoints([1.0, 2.0, 4.0], log=False) == [1.5, 3.0]
    assert midpoints([1.0, 4.0, 16.0], log=True) == [2.0, 8.0]


def test_grid_points_stand_for_themselves() -> None:
    grid, nearest = Grid(LEVELS), NearestGrid(LEVELS, continuous_space("s"))
    rng = np.random.default_rng(0)
    for _ in range(200):
        params = {name: levels[int(rng.integers(len(levels)))] for name, levels in LEVELS.items()}
        assert nearest.position(params) == grid.position(params)


def nearest_by_distance(name: str, value: float) -> object:
    """The definition, read literally: least distance, in log space but for depth, the lower of two equals."""
    scale = float if name == "depth" else math.log
    return min(LEVELS[name], key=lambda level: (round(abs(scale(value) - scale(cast(float, level))), 9), level))


def test_every_value_stands_for_the_nearest_level() -> None:
    space = continuous_space("s")
    grid, nearest = Grid(LEVELS), NearestGrid(LEVELS, space)
    space.seed(0)
    for sample in space.sample_configuration(500):
        snapped = {name: nearest_by_distance(name, value) for name, value in sample.items()}
        assert nearest.position(dict(sample)) == grid.position(snapped)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("batch_size", 4, 4),
        ("batch_size", 5, 6),  # 5 > sqrt(4 * 6)
        ("batch_size", 20, 16),  # midway in log space: the lower level
        ("batch_size", 21, 25),
        ("batch_size", 256, 256),
        ("width", 16, 16),
        ("width", 20, 16),
        ("width", 1024, 1024),
        ("depth", 2, 2),
        ("alpha", 1e-8, 1e-8),
        ("alpha", 1e-3, 2.1544348e-3),
        ("alpha", 1.0, 1.0),
        ("learning_rate_init", 1e-5, 1e-5),
        ("learning_rate_init", 0.99, 1.0),
    ],
)
def test_edges_and_ties(name: str, value: float, level: float) -> None:
    others = {"alpha": 1.0, "batch_size": 4, "depth": 1, "learning_rate_init": 1.0, "width": 16}
    nearest = NearestGrid(LEVELS, continuous_space("s"))
    assert nearest.position({**others, name: value}) == Grid(LEVELS).position({**others, name: level})


def test_shares_of_the_grid_points_against_samples() -> None:
    levels = {"f": (0.01, 0.1, 1.0), "i": (1, 4, 9)}
    space = ConfigurationSpace(seed=0)
    space.add(UniformFloatHyperparameter("f", 0.01, 1.0, log=True), UniformIntegerHyperparameter("i", 1, 9))
    nearest = NearestGrid(levels, space)
    shares = nearest.probabilities()
    counts = np.bincount([nearest.position(dict(s)) for s in space.sample_configuration(20_000)], minlength=9) / 20_000
    assert shares.sum() == pytest.approx(1.0)
    assert np.all(np.abs(counts - shares) < 4.5 * np.sqrt(shares * (1 - shares) / 20_000))
    # By hand: |log f - log level| splits 1/4, 1/2, 1/4; integers 1-2, 3-6, 7-9 (2.5 and 6.5 are the midpoints).
    assert shares.reshape(3, 3)[:, 0] == pytest.approx(np.array([0.25, 0.5, 0.25]) * 2 / 9)
