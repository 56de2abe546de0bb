"""FCNet's tables: the facts they rest on."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.fcnet import DATA_SETS, DEFAULT, LEVELS, MEASURES, FCNet
from benchmarks.lookup.lookup import Grid
from benchmarks.lookup.table_cache import read_table
from harness.problem import Params

COLUMNS = [column for column, _ in MEASURES.values()]

GRID = Grid(LEVELS)


@pytest.mark.parametrize("task", FCNet.tasks)
def test_shape_and_extremes(task: str) -> None:
    values = read_table("hpolib", task, GRID.sizes, COLUMNS)
    assert values.shape == (4, 62_208, 3)
    assert not np.isnan(values).any()
    for seed, column in [(None, values.mean(axis=0)[:, 0]), *enumerate(values[:, :, 0])]:
        (objective,) = FCNet(task, table_seed=seed).problem.objectives
        assert (objective.name, objective.direction) == ("mean_squared_error", "minimize")
        assert (objective.optimum, objective.worst) == (column.min(), column.max())


@pytest.mark.parametrize("task", FCNet.tasks)
def test_the_number_of_weights_is_that_of_the_network(task: str) -> None:
    """Weights and biases of inputs -> units_1 -> units_2 -> 1: proves the levels' order and the number of inputs."""
    benchmark, inputs = FCNet(task), DATA_SETS[task].inputs
    rng = np.random.default_rng(0)
    for _ in range(50):
        params: Params = {name: levels[int(rng.integers(len(levels)))] for name, levels in LEVELS.items()}
        one, two = int(params["n_units_1"]), int(params["n_units_2"])
        outcome = benchmark.evaluate(params, None, 0)
        assert outcome.metrics["model_weights"] == (inputs + 1) * one + (one + 1) * two + two + 1


def test_larger_batches_train_faster() -> None:
    """Ties the digit of the batch size to what it does."""
    benchmark = FCNet("slice_localization")
    seconds = [benchmark.evaluate({**DEFAULT, "batch_size": b}, None, 0).evaluation_seconds for b in (8, 16, 32, 64)]
    assert seconds == sorted(seconds, reverse=True)  # type: ignore[type-var]


def test_the_optimum_is_attained_and_the_curve_ends_near_it() -> None:
    benchmark = FCNet("parkinsons_telemonitoring", table_seed=3)
    values = read_table("hpolib", "parkinsons_telemonitoring", GRID.sizes, COLUMNS)[3, :, 0]
    digits = np.unravel_index(int(values.argmin()), GRID.sizes)
    best: Params = {name: levels[int(digit)] for (name, levels), digit in zip(LEVELS.items(), digits, strict=True)}
    optimum = benchmark.problem.objectives[0].optimum
    curve = benchmark.random_search_curve(50)
    assert benchmark.evaluate(best, None, 0).losses["mean_squared_error"] == optimum == values.min()
    assert curve[0] == pytest.approx(values.mean())
    assert optimum < curve[-1] < np.quantile(values, 0.1)


def test_the_default_is_the_spaces() -> None:
    problem = FCNet().problem
    assert problem.default == DEFAULT == dict(problem.space.get_default_configuration())
