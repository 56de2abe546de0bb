from __future__ import annotations

import math
from fractions import Fraction

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer, OrdinalHyperparameter
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.levels import Levels, levels_of
from harness.trial import Fault
from harness.validity import Checker

NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
GRIDS = st.lists(NUMBERS, min_size=1, max_size=8, unique_by=Fraction)
SPACES = st.lists(
    st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    min_size=1,
    max_size=8,
    unique_by=Fraction,
)  # what ConfigSpace can hold in one array
ANY = NUMBERS | st.floats() | st.integers() | st.just(10**400) | st.just(-(10**400))


@pytest.mark.parametrize(
    ("levels", "log"),
    [
        ((1, 2, 3), False),
        ((0.1, 0.2, 0.3, 0.4), False),
        ((8, 16, 24, 32), False),
        ((16, 32, 64), True),
        ((1e-8, 1e-6, 1e-4), True),
        ((16, 25, 40, 64, 101, 161, 256), True),
        ((0.0, 0.001, 0.1), False),
        ((-1, 1), False),
        ((0.001, 0.1), True),
        ((5,), True),
        ((5e-324, 1e308), True),
        ((1e300, math.nextafter(1e300, math.inf)), True),
        ((1, 10**400), True),
        ((0.3, 0.2, 0.1), False),
    ],
)
def test_the_scale_follows_from_the_levels(levels, log):
    assert Levels(levels).log is log


@pytest.mark.parametrize(
    ("levels", "value", "nearest", "steps"),
    [
        ((16, 32, 64), 48, 64, math.log2(64 / 48)),
        ((16, 32, 64), 40, 32, math.log2(40 / 32)),
        ((1, 2, 3), 1.5, 1, 0.5),
        ((1, 2, 3), 2.75, 3, 0.25),
        ((1e-4, 1e-2), 1e-3, 1e-4, 0.5),
        ((64, 16, 32), 20, 16, math.log2(20 / 16)),
        ((0.0, 0.3, 0.6), 0.1, 0.0, 1 / 3),
        ((1, 10**400), 10**100, 1, 0.25),
        ((-4, 0, 4), -3, -4, 0.25),
    ],
)
def test_how_far_a_number_is_from_which_level(levels, value, nearest, steps):
    assert Levels(levels).nearest(value) == nearest
    assert Levels(levels).steps(value) == pytest.approx(steps)


@pytest.mark.parametrize("value", [-math.inf, -1, math.inf, 10**400, 65])
def test_beyond_the_levels_the_last_one_is_nearest_and_there_are_no_steps(value):
    levels = Levels((16, 32, 64))
    assert levels.nearest(value) == (16 if value < 16 else 64)
    assert not levels.between(value)
    with pytest.raises(ValueError, match="beyond all levels"):
        levels.steps(value)


def test_only_ordinals_of_numbers_have_levels():
    assert levels_of(OrdinalHyperparameter("a", [4, 2.5, 1])).values == (1, 2.5, 4)
    for other in (
        OrdinalHyperparameter("a", ["s", "m"]),
        OrdinalHyperparameter("a", [1, "many"]),
        OrdinalHyperparameter("a", [False, 2]),
        Categorical("a", [1, 2]),
        Integer("a", (1, 4)),
        Float("a", (1.0, 4.0)),
    ):
        assert levels_of(other) is None


@settings(max_examples=200, deadline=None)
@given(SPACES, ANY)
def test_any_number_is_a_level_off_the_grid_or_no_choice(grid, value):
    space = ConfigurationSpace(seed=0)
    space.add(OrdinalHyperparameter("level", grid))
    params, violations = Checker(space).check({"level": value})
    if value in grid:
        assert params is not None
        assert Fraction(params["level"]) == Fraction(value)
        return
    (violation,) = violations
    if min(grid) < value < max(grid):
        assert violation.fault is Fault.OFF_GRID
        assert 0 < violation.steps <= 0.5
    else:
        assert violation.fault is Fault.NOT_A_CHOICE
        assert violation.steps is None
    assert violation.confused is None


@settings(max_examples=200, deadline=None)
@given(GRIDS, NUMBERS)
def test_no_other_level_of_the_two_around_a_number_is_nearer(grid, value):
    levels = Levels(grid)
    nearest = levels.nearest(value)
    assert nearest in grid
    mirrored = Levels([-level for level in grid])
    if levels.between(value):
        below, above = max(x for x in grid if x < value), min(x for x in grid if x > value)
        assert nearest in (below, above)
        if not levels.log and not mirrored.log:
            down, up = Fraction(value) - Fraction(below), Fraction(above) - Fraction(value)
            assert nearest == (below if down <= up else above)
            assert mirrored.steps(-value) == levels.steps(value)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(1e-9, 1e9), min_size=2, max_size=6, unique=True), st.floats(0, 1))
def test_steps_rise_to_the_middle_and_fall_again_towards_the_nearest(grid, share):
    low, high = sorted(grid)[:2]
    value = low + share * (high - low)
    levels = Levels(grid)
    if levels.between(value):
        scale = math.log if levels.log and math.log(low) < math.log(value) < math.log(high) else Fraction
        place = float((scale(value) - scale(low)) / (scale(high) - scale(low)))
        assert levels.steps(value) == pytest.approx(min(place, 1 - place), abs=1e-9)
        if abs(place - 0.5) > 1e-9:
            assert levels.nearest(value) == (low if place < 0.5 else high)
