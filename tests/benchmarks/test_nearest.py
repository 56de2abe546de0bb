"""Continuous values on a grid: the nearest level, and how often each level is the nearest."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
from ConfigSpace import ConfigurationSpace, EqualsCondition, OrdinalHyperparameter
from ConfigSpace.hyperparameters import UniformFloatHyperparameter, UniformIntegerHyperparameter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks import fcnet
from benchmarks.hpobench.hpobench import DESCRIPTIONS, GRID_DEFAULT, LEVELS
from benchmarks.hpobench.hpobench_spaces import MODELS, search_space
from benchmarks.lookup.lookup import grid_space
from benchmarks.lookup.nearest import (
    Nearest,
    Uniform,
    level_shares,
    midpoints,
    probability_at_most,
)
from harness.errors import SettingError
from harness.levels import SNAP_STEPS as MEAN
from harness.levels import SNAP_STEPS_MAX as LARGEST
from harness.levels import levels_of
from harness.problem import Params
from harness.space import Decoder
from harness.validity import Checker
from tests.support.fakes import rich_space

NEAREST = Nearest(grid_space("s", LEVELS, GRID_DEFAULT, DESCRIPTIONS), "s")

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
    rng = np.random.default_rng(0)
    for _ in range(200):
        params = {name: levels[int(rng.integers(len(levels)))] for name, levels in LEVELS.items()}
        assert NEAREST.snap(params) == (params, {MEAN: 0.0, LARGEST: 0.0})


def nearest_by_distance(name: str, value: float) -> object:
    """The definition, read literally: least distance, in log space but for depth, the lower of two equals."""
    scale = float if name == "depth" else math.log
    return min(LEVELS[name], key=lambda level: (round(abs(scale(value) - scale(cast(float, level))), 9), level))


def test_every_value_stands_for_the_nearest_level() -> None:
    space = copy.deepcopy(NEAREST.space)
    space.seed(0)
    for sample in space.sample_configuration(500):
        snapped = {name: nearest_by_distance(name, value) for name, value in sample.items()}
        assert NEAREST.snap(dict(sample))[0] == snapped


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
    assert NEAREST.snap({**others, name: value})[0] == {**others, name: level}


def counted(nearest: Nearest, levels: dict[str, Any], draws: int) -> npt.NDArray[np.float64]:
    """(configurations,) the share of random draws that count as each configuration of the grid."""
    space = copy.deepcopy(nearest.space)
    space.seed(0)
    read, shape = Decoder(space), [len(values) for values in levels.values()]
    counts = np.zeros(shape)
    for sample in space.sample_configuration(draws):
        snapped = nearest.snap(read(sample))[0]
        counts[tuple(levels[name].index(snapped[name]) for name in levels)] += 1
    return counts.ravel() / draws


def test_shares_of_the_grid_points_against_samples() -> None:
    levels = {"f": (0.01, 0.1, 1.0), "i": (1, 4, 9), "word": ("a", "b"), "l": (4, 6, 10, 16)}
    grid = grid_space("s", levels, {"f": 0.1, "i": 4, "word": "b", "l": 6}, dict.fromkeys(levels, ""))
    nearest = Nearest(grid, "s")
    shares = nearest.probabilities(levels)
    counts = counted(nearest, levels, 20_000)
    assert shares.sum() == pytest.approx(1.0)
    assert np.all(np.abs(counts - shares) < 4.5 * np.sqrt(shares * (1 - shares) / 20_000))
    # By hand: |log f - log level| splits 1/4, 1/2, 1/4; words are drawn alike.
    assert level_shares(nearest.space["f"]) == pytest.approx([0.25, 0.5, 0.25])
    assert level_shares(nearest.space["word"]) == pytest.approx([0.5, 0.5])


def test_words_stay_and_numbers_become_ranges() -> None:
    grid = grid_space("s", fcnet.LEVELS, fcnet.DEFAULT, fcnet.DESCRIPTIONS)
    space = Nearest(grid, "s").space
    assert {name: type(each).__name__ for name, each in space.items()} == {
        "activation_fn_1": "CategoricalHyperparameter",
        "activation_fn_2": "CategoricalHyperparameter",
        "batch_size": "UniformIntegerHyperparameter",
        "dropout_1": "UniformFloatHyperparameter",
        "dropout_2": "UniformFloatHyperparameter",
        "init_lr": "UniformFloatHyperparameter",
        "lr_schedule": "CategoricalHyperparameter",
        "n_units_1": "UniformIntegerHyperparameter",
        "n_units_2": "UniformIntegerHyperparameter",
    }
    assert dict(space.get_default_configuration()) == fcnet.DEFAULT
    assert [name for name, each in space.items() if getattr(each, "log", False)] == [
        "batch_size", "init_lr", "n_units_1", "n_units_2",
    ]  # fmt: skip


def test_levels_that_conditions_and_clauses_speak_of_stay() -> None:
    with pytest.raises(SettingError, match=r"needs numbers .* rich has none; use benchmark\.space=grid"):
        Nearest(rich_space(), "rich")  # its one numeric ordinal stands in a clause
    space = rich_space()
    space.add(OrdinalHyperparameter("child", [0.1, 0.2, 0.4], default_value=0.2))
    space.add(EqualsCondition(space["child"], space["batch"], 32))
    nearest = Nearest(space, "rich")
    check = Checker(nearest.space).check
    assert nearest.space["batch"] == space["batch"]
    default = Decoder(nearest.space)(nearest.space.get_default_configuration())
    assert check({**default, "child": 0.3}) == ({**default, "child": 0.3}, ())
    assert nearest.snap({**default, "child": 0.27})[0] == {**default, "child": 0.2}
    assert {v.fault for v in check({**default, "batch": 16, "child": 0.3})[1]} == {"inactive"}


@pytest.mark.parametrize("model", MODELS)
def test_the_scale_of_hpobenchs_levels_is_hpobenchs(model: str) -> None:
    ranges, grid = search_space("s", model, grid=False), search_space("s", model, grid=True)
    assert {name: levels_of(grid[name]).log for name in grid} == {name: ranges[name].log for name in grid}  # type: ignore[union-attr, attr-defined]


@st.composite
def grids(draw: st.DrawFn) -> tuple[list[Any], Nearest, float]:
    """Levels, the range over them, and a value of it."""
    whole, positive = draw(st.booleans()), draw(st.booleans())
    numbers: Any = st.integers(1 if positive else -1000, 2000) if whole else st.floats(1e-9 if positive else -1e3, 1e3)
    levels = sorted(draw(st.sets(numbers, min_size=2, max_size=8)))
    assume(levels[0] <= 0 or levels[0] >= 1e-9)  # ConfigSpace rounds the ends of ranges to 13 decimals
    assume(all(b - a > 1e-12 * max(1, abs(b)) for a, b in itertools.pairwise(levels)))
    grid = ConfigurationSpace()
    grid.add(OrdinalHyperparameter("x", levels, default_value=levels[0]))
    value = draw(st.integers(levels[0], levels[-1]) if whole else st.floats(levels[0], levels[-1]))
    return levels, Nearest(grid, "s"), value


@given(grids())
@settings(max_examples=200)
def test_any_value_of_a_range_counts_as_the_level_of_least_distance(case: tuple[list[Any], Nearest, float]) -> None:
    levels, nearest, value = case
    uniform: Any = nearest.space["x"]
    check = Checker(nearest.space).check
    assert [check({"x": each})[1] for each in (value, *levels)] == [()] * (1 + len(levels))
    scale = math.log if uniform.log else float
    distances = {level: abs(scale(value) - scale(level)) for level in levels}
    (near,), distance = nearest.snap({"x": value})[0].values(), nearest.snap({"x": value})[1]
    assert distances[near] == pytest.approx(min(distances.values()), rel=1e-6, abs=1e-9)
    assert distance[MEAN] == distance[LARGEST] <= 0.5
    assert (distance[LARGEST] == 0) == (value in levels)
    shares = level_shares(uniform)
    assert len(shares) == len(levels)
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= -1e-12


def test_the_distance_is_in_steps_between_the_neighbours() -> None:
    others: Params = dict(GRID_DEFAULT)
    _, distance = NEAREST.snap({**others, "alpha": math.sqrt(2.1544348e-3 * 1.6681006e-2)})  # midway on its scale
    assert distance == pytest.approx({MEAN: 0.1, LARGEST: 0.5})
    assert NEAREST.snap({**others, "depth": 3})[1] == {MEAN: 0.0, LARGEST: 0.0}
