"""Short names of levels: distinct, each nearest to its own level, and resolved to it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float, OrdinalHyperparameter
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.levels import LEVELS, known_levels
from harness.loop import Judge
from harness.problem import Objective, Problem
from harness.repair import Nearest, NoRepair
from harness.short_names import ShortNames, short_names
from harness.trial import Fault, Proposal, Trial
from harness.validity import Checker


@pytest.mark.parametrize(
    ("levels", "names"),
    [
        ((1.6681006e-3, 5.9948424e-3, 1.0), (0.0017, 0.006, 1.0)),
        ((7.742637e-8, 1.2915497e-1), (7.7e-8, 0.13)),
        ((0.1234, 0.1236, 0.5), (0.123, 0.124, 0.5)),
        ((0.12349, 0.12361), (0.123, 0.124)),
        ((101.0, 256.0, 180.21), (101.0, 256.0, 180.0)),
        ((161, 256, 645), (161, 256, 645)),
        ((1, 0.33333), (1, 0.33)),
        ((1.051, 1.149), (1.05, 1.15)),  # 1.1 and 1.1
        ((-0.6667, 0.0, 0.6667), (-0.67, 0.0, 0.67)),
        ((0.5,), (0.5,)),
    ],
)
def test_short_names(levels: tuple[float, ...], names: tuple[float, ...]) -> None:
    assert short_names(levels) == names


NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)


@given(st.lists(NUMBERS, min_size=1, max_size=12, unique=True))
@settings(max_examples=200)
def test_the_names_are_told_apart_and_nearest_to_their_own_level(levels: list[Any]) -> None:
    names = short_names(levels)
    assert len(set(names)) == len(levels)
    for level, name in zip(levels, names, strict=True):
        assert type(name) is type(level)
        assert len(repr(name)) <= len(repr(level))
        assert name == level or name not in levels
        assert min(levels, key=lambda each: abs(each - name)) == level or not all(map(math.isfinite, (name - level,)))
    space = ConfigurationSpace()
    space.add(OrdinalHyperparameter("x", levels))
    read = ShortNames(space).read
    assert [read({"x": name})["x"] for name in names] == levels
    assert [read({"x": level})["x"] for level in levels] == levels


SPACE = ConfigurationSpace(name="s")
SPACE.add(
    OrdinalHyperparameter("rate", [1.6681006e-3, 1.6681006e-2, 1.6681006e-1], default_value=1.6681006e-2),
    Float("range", (1.6681006e-3, 0.9996), log=True, default=0.01, meta={LEVELS: [1.6681006e-3, 0.01, 0.9996]}),
    Categorical("word", [0.123456, "a"]),
)
PROBLEM = Problem("s", SPACE, (Objective("loss", "minimize"),), {"rate": 1.6681006e-2, "range": 0.01, "word": "a"})
SHORT = {"rate": 0.0017, "range": 1.0, "word": "a"}
LONG = {"rate": 1.6681006e-3, "range": 0.9996, "word": "a"}


def test_the_levels_of_ordinals_and_of_ranges_that_stand_for_them() -> None:
    known = {name: known_levels(each) for name, each in SPACE.items()}
    assert known["word"] is None
    assert [known[name].values for name in ("rate", "range")] == [  # type: ignore[union-attr]
        (1.6681006e-3, 1.6681006e-2, 1.6681006e-1),
        (1.6681006e-3, 0.01, 0.9996),
    ]


@pytest.mark.parametrize("value", [None, True, "0.0017", [0.0017], {"a": 1}, math.nan, 10**400])
def test_what_is_no_short_name_is_left_as_it_is(value: Any) -> None:
    read = ShortNames(SPACE).read({"rate": value, "other": 0.0017})
    assert read["rate"] is value
    assert read["other"] == 0.0017


def judged(proposal: Proposal, index: int = 0, judge: Judge | None = None) -> Trial:
    return (judge or Judge(PROBLEM, NoRepair(PROBLEM, 0)))(Trial(index, proposal))


def test_a_short_name_is_the_level_and_the_row_keeps_what_was_proposed() -> None:
    trial = judged(Proposal(dict(SHORT), short_names=True))
    assert trial.violations == ()
    assert trial.repair is None
    assert trial.params == LONG
    assert trial.proposal.params == SHORT


def test_a_short_name_that_was_not_told_is_a_number_like_any_other() -> None:
    trial = judged(Proposal(dict(SHORT)))
    assert trial.params is None
    assert {violation.name for violation in trial.violations} == {"rate", "range"}


def test_a_level_and_its_short_name_are_one_proposal() -> None:
    judge = Judge(PROBLEM, NoRepair(PROBLEM, 0))
    judged(Proposal(dict(LONG)), 0, judge)
    assert judged(Proposal(dict(SHORT), short_names=True), 1, judge).duplicate_of == 0


def test_a_repair_mends_the_rest_alone() -> None:
    judge = Judge(PROBLEM, Nearest(PROBLEM, 0))
    trial = judged(Proposal({**SHORT, "word": "b"}, short_names=True), 0, judge)
    assert [violation.fault for violation in trial.violations] == [Fault.NOT_A_CHOICE]
    assert trial.params == LONG
    assert trial.repair == "nearest"


def test_a_number_that_is_anothers_short_name_is_confused() -> None:
    space = ConfigurationSpace()
    space.add(OrdinalHyperparameter("a", [0.1, 10.0]), OrdinalHyperparameter("b", [1.2345, 2.3456]))
    check = Checker(space)
    for short_names_told, whose in ((True, "b"), (False, None)):
        _, violations = check.proposal(Proposal({"a": 1.2, "b": 2.3456}, short_names=short_names_told))
        assert [(each.fault, each.confused) for each in violations] == [(Fault.OFF_GRID, whose)]
