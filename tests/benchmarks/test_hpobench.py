"""HPOBench's neural-network tables: the facts they rest on, and both spaces."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.hpobench.hpobench import CONTINUOUS_DEFAULT, DATA_SETS, GRID_DEFAULT, LEVELS, MEASURES, HPOBench
from benchmarks.hpobench.hpobench_spaces import search_space
from benchmarks.lookup.lookup import Grid
from benchmarks.lookup.table_cache import read_table
from harness.errors import SettingError
from harness.problem import Params

COLUMNS = [column for column, _ in MEASURES.values()]

SIZES = Grid(LEVELS).sizes


def best_losses(benchmark: HPOBench, runs: int, evaluations: int) -> np.ndarray:
    """(runs, evaluations) lowest loss so far of random searches that sample with ConfigSpace."""
    space = benchmark.problem.space
    space.seed(0)
    samples = [
        {name: value.item() if isinstance(value, np.generic) else value for name, value in sample.items()}
        for sample in space.sample_configuration(runs * evaluations)
    ]
    losses = [benchmark.evaluate(params, None, 0).losses["balanced_accuracy"] for params in samples]
    return np.minimum.accumulate(np.reshape(losses, (runs, evaluations)), axis=1)


@pytest.mark.parametrize("task", HPOBench.tasks)
def test_shape_and_extremes(task: str) -> None:
    values = read_table("hpobench", task, SIZES, COLUMNS)
    assert values.shape == (5, 30_000, 4)
    assert not np.isnan(values).any()
    for seed, column in [(None, values.mean(axis=0)[:, 0]), *enumerate(values[:, :, 0])]:
        (objective,) = HPOBench(task, table_seed=seed).problem.objectives
        assert (objective.name, objective.direction) == ("balanced_accuracy", "maximize")
        assert (objective.optimum, objective.worst) == (column.max(), column.min())


@pytest.mark.parametrize("task", HPOBench.tasks)
def test_constant_predictors_score_one_over_the_classes(task: str) -> None:
    """Why the metric is called balanced accuracy: a constant predictor's plain accuracy is the share p of its class.

    It is told by the two other metrics, means over the k classes: precision p / k and F1 2 p / (1 + p) / k.
    """
    values = read_table("hpobench", task, SIZES, COLUMNS)
    accuracy, precision, f1, _ = np.moveaxis(values, 2, 0)
    classes = DATA_SETS[task].classes
    constant = np.isclose(f1, 2 * precision / (1 + classes * precision), rtol=0, atol=1e-12) & (precision > 0)
    assert constant.sum() > 10_000
    assert np.all(np.abs(accuracy[constant] - 1 / classes) < 1e-12)


@pytest.mark.parametrize("task", HPOBench.tasks)
def test_the_optimum_is_attained(task: str) -> None:
    benchmark = HPOBench(task)
    values = read_table("hpobench", task, SIZES, COLUMNS).mean(axis=0)
    digits = np.unravel_index(int(values[:, 0].argmax()), SIZES)
    best = {name: levels[int(digit)] for (name, levels), digit in zip(LEVELS.items(), digits, strict=True)}
    outcome = benchmark.evaluate(best, None, 0)
    assert -outcome.losses["balanced_accuracy"] == benchmark.problem.objectives[0].optimum
    assert list(outcome.metrics) == ["precision", "f1", "train_seconds"]


def test_one_number_known_by_hand() -> None:
    """The package's row "00000" of credit_g, read off its pickle."""
    lowest: Params = {"alpha": 1e-8, "batch_size": 4, "depth": 1, "learning_rate_init": 1e-5, "width": 16}
    outcome = HPOBench("credit_g", table_seed=1).evaluate(lowest, None, 0)
    assert outcome.losses == {"balanced_accuracy": -0.6084161624891962}
    assert outcome.evaluation_seconds == 23.5908145904541


def test_the_default_of_the_grid_is_the_one_of_hpobench_snapped() -> None:
    grid, nearest = HPOBench("kc1"), HPOBench("kc1", space="nearest")
    assert grid.problem.default == GRID_DEFAULT == dict(grid.problem.space.get_default_configuration())
    assert nearest.problem.default == GRID_DEFAULT == dict(nearest.problem.space.get_default_configuration())
    live = search_space("nn", "nn", grid=False)
    assert dict(live.get_default_configuration()) == CONTINUOUS_DEFAULT
    own = nearest.evaluate({**CONTINUOUS_DEFAULT}, None, 0)
    assert own.losses == grid.evaluate(grid.problem.default, None, 0).losses
    assert own.metrics["snap_steps_max"] > 0
    default = grid.problem.default
    default["depth"] = 1
    assert HPOBench("kc1").problem.default["depth"] == 3


def test_the_ranges_are_hpobenchs() -> None:
    space = HPOBench(space="nearest").problem.space
    ranges: dict[str, Any] = {name: (hp.lower, hp.upper, hp.log) for name, hp in space.items()}  # type: ignore[attr-defined]
    assert ranges == {
        "alpha": (1e-8, 1.0, True),
        "batch_size": (4, 256, True),
        "depth": (1, 3, False),
        "learning_rate_init": (1e-5, 1.0, True),
        "width": (16, 1024, True),
    }


@pytest.mark.parametrize("space", ["grid", "nearest"])
def test_the_curve_against_real_random_search(space: Any) -> None:
    benchmark = HPOBench("credit_g", space=space)
    best = best_losses(benchmark, runs=200, evaluations=20)
    errors = best.std(axis=0, ddof=1) / math.sqrt(len(best))
    curve = benchmark.random_search_curve(20)
    assert np.all(np.abs(best.mean(axis=0) - curve) < 4.5 * errors)


@pytest.mark.parametrize("space", ["grid", "nearest"])
def test_the_quantiles_against_real_random_search(space: Any) -> None:
    """Many configurations share the loss of a constant predictor: a share lies between those below and those at it."""
    benchmark = HPOBench("vehicle", space=space)
    losses = best_losses(benchmark, runs=5000, evaluations=1)[:, 0]
    found = benchmark.loss_quantiles(101)
    below = np.array([(losses < loss).mean() for loss in found])
    at_most = np.array([(losses <= loss).mean() for loss in found])
    shares = np.linspace(0, 1, 101)
    assert np.all(below - 0.03 < shares)
    assert np.all(shares < at_most + 0.03)


def test_the_quantiles_of_the_two_spaces_differ() -> None:
    grid, nearest = (np.array(HPOBench("vehicle", space=s).loss_quantiles(101)) for s in ("grid", "nearest"))
    assert (grid[0], grid[-1]) == (nearest[0], nearest[-1])
    assert np.abs(grid - nearest).max() > 0.02


def test_the_curves_of_the_two_spaces_differ() -> None:
    """Edges of the nearest space have smaller cells; if the weights were ignored, the curves would be the same."""
    grid, nearest = (np.array(HPOBench("credit_g", space=s).random_search_curve(3)) for s in ("grid", "nearest"))
    assert np.all(np.abs(grid - nearest) > 1e-3)


def test_the_curve_of_one_draw_is_the_mean() -> None:
    values = read_table("hpobench", "car", SIZES, COLUMNS)
    assert HPOBench("car", table_seed=2).random_search_curve(1) == pytest.approx([-values[2, :, 0].mean()])


def test_an_unknown_space() -> None:
    with pytest.raises(SettingError, match="Unknown hpobench space 'gird'; did you mean 'grid'"):
        HPOBench(space="gird")  # type: ignore[arg-type]


@pytest.mark.parametrize("task", HPOBench.tasks)
def test_the_description_names_the_data_and_no_score(task: str) -> None:
    data = DATA_SETS[task]
    description = HPOBench(task).problem.description.text
    numbers = {int(number) for number in re.findall(r"\d+", description.replace(data.name, "").replace("L2", ""))}
    assert data.name in description
    assert numbers == {243, data.openml_task, data.rows, data.features, data.classes}


@pytest.mark.parametrize("task", HPOBench.tasks)
def test_the_data_sets_are_as_counted(task: str) -> None:
    """Against the house's copies of the data, where they are at hand."""
    file = Path(__file__).parents[3] / "shared" / "data" / "openml-provenance.json"
    if not file.exists():
        pytest.skip("the house's data folder is not here")
    data = DATA_SETS[task]
    seen = json.loads(file.read_text())[str(data.openml_task)]
    assert (seen["name"], seen["rows"], seen["cols"] - 1, seen["classes"]) == (data.name, *data[2:])
