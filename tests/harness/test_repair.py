from __future__ import annotations

import json
import math

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, OrdinalHyperparameter
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.problem import Objective, Problem
from harness.repair import Clamp, Nearest, NoRepair, RandomRepair
from harness.trial import Proposal
from harness.validity import Checker
from tests.harness.test_validity import JSON, NAMES
from tests.support.fakes import VALID, rich_space

SPACE = rich_space()
PROBLEM = Problem("fake.rich", SPACE, (Objective("loss", "minimize"),), VALID)
CHECK = Checker(SPACE)


def mend(repair, params):
    proposal = Proposal(params)
    return repair(PROBLEM, 0)(proposal, CHECK.proposal(proposal)[1])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cost": 1e9}, {"cost": 1e3}),
        ({"cost": -5}, {"cost": 1e-3}),
        ({"cost": "10"}, {"cost": 10}),
        ({"cost": "much"}, {"cost": 1.0}),
        ({"cost": None}, {"cost": 1.0}),
        ({"cost": math.nan}, {"cost": 1.0}),
        ({"cost": math.inf}, {"cost": 1e3}),
        ({"batch": 40}, {"batch": 32}),
        ({"batch": 10**6}, {"batch": 64}),
        ({"kernel": "RBF_"}, {"kernel": "rbf"}),
        ({"kernel": 7}, {"kernel": "rbf"}),
        ({"kind": "tree"}, {"kind": "svm"}),
        ({"made_up": 1}, {}),
        ({"degree": 3}, {}),
    ],
)
def test_nearest_mends_each_fault(changes, expected):
    assert mend(Nearest, {**VALID, **changes}) == {**VALID, **expected}


def level(choices, proposed, kind):
    space = ConfigurationSpace(name="levels", seed=0)
    space.add(kind("x", choices))
    problem = Problem("fake.levels", space, (Objective("loss", "minimize"),), {"x": choices[0]})
    proposal = Proposal({"x": proposed})
    violations = Checker(space).proposal(proposal)[1]
    assert violations, "it is a fault before it is mended"
    mended = Nearest(problem, 0)(proposal, violations)
    assert mended is not None
    params, left = Checker(space).check(mended)
    assert left == ()
    assert params is not None
    return params["x"]


@pytest.mark.parametrize("kind", [Categorical, OrdinalHyperparameter])
@pytest.mark.parametrize(
    ("choices", "proposed", "expected"),
    [
        ([16, 32, 64, 128], math.inf, 128),
        ([16, 32, 64, 128], json.loads("1e999"), 128),
        ([128, 16, 64], math.inf, 128),
        ([128, 16, 64], -math.inf, 16),
        ([128, 16, 64], "inf", 128),
        ([128, 16, 64], "-Infinity", 16),
        ([128, 16, 64], "1e999", 128),
        ([128, 16, 64], "9" * 5000, 128),
        ([128, 16, 64], 10**400, 128),
        ([128, 16, 64], -(10**400), 16),
        ([128, 16, 64], -1, 16),
        ([128, 16, 64], 0, 16),
        ([128, 16, 64], -1e-300, 16),
        ([128, 16, 64], "64", 64),
        ([128, 16, 64], 64.5, 64),
        ([128, 16, 64], math.nan, 128),
        ([-3, 0, 5], math.inf, 5),
        ([0, 10**400], 10**399, 0),
        ([0.1, 0.5], 10**400, 0.5),
        ([3, 10, None], 7, 10),
        ([3, 10, None], math.inf, 10),
        ([3, 10, None], "None", None),
        ([3, 10, None], "nul", None),
        (["sqrt", "log2", None, 0.5], "Sqrt", "sqrt"),
        ([True, False], "False", False),
        ([True, False], "false", False),
        ([(64, 64), (128,)], ["128"], (128,)),
        ([(64, 64), (128,)], "(128,)", (128,)),
        ([(64, 64), (128,)], "[128]", (128,)),
        ([(64, 64), (128,)], ["64", "64"], (64, 64)),
        ([2**60, 2**60 + 2, 5], str(2**60 + 3), 2**60 + 2),
    ],
)  # fmt: skip
def test_beyond_every_level_is_as_near_as_the_last_one(kind, choices, proposed, expected):
    assert level(choices, proposed, kind) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cost": 10**400}, {"cost": 1e3}),
        ({"cost": -(10**400)}, {"cost": 1e-3}),
        ({"cost": -math.inf}, {"cost": 1e-3}),
        ({"cost": "inf"}, {"cost": 1e3}),
        ({"cost": "-1e999"}, {"cost": 1e-3}),
        ({"cost": "nan"}, {"cost": 1.0}),
        ({"kernel": "poly", "degree": math.inf, "coef0": 0.5}, {"kernel": "poly", "degree": 5, "coef0": 0.5}),
        ({"kernel": "poly", "degree": "1" * 5000, "coef0": 0.5}, {"kernel": "poly", "degree": 5, "coef0": 0.5}),
    ],
)
def test_numbers_of_any_size_go_to_the_nearer_bound(changes, expected):
    assert mend(Nearest, {**VALID, **changes}) == {**VALID, **expected}


def test_clamp_takes_the_infinities_and_any_integer():
    for huge in (math.inf, 10**400):
        assert mend(Clamp, {**VALID, "cost": huge}) == {**VALID, "cost": 1e3}
        assert mend(Clamp, {**VALID, "cost": -huge}) == {**VALID, "cost": 1e-3}


def test_missing_values_take_the_default():
    assert mend(Nearest, {"kernel": "rbf"}) == VALID


def test_children_follow_a_mended_parent():
    without_kernel = {name: value for name, value in VALID.items() if name != "kernel"}
    assert mend(Nearest, {**without_kernel, "degree": 3}) == VALID
    mended = mend(Nearest, {**VALID, "kernel": "poli"})
    assert mended is not None
    assert mended["kernel"] == "poly"
    assert CHECK.check(mended)[1] == ()


def test_clamp_mends_ranges_only():
    assert mend(Clamp, {**VALID, "cost": 1e9}) == {**VALID, "cost": 1e3}
    assert mend(Clamp, {**VALID, "cost": 1e9, "x": 1}) is None


def test_none_and_unparseable_stay_unrepaired():
    assert mend(NoRepair, {**VALID, "cost": 1e9}) is None
    assert mend(Nearest, None) is None
    assert mend(Clamp, None) is None


def test_random_repair_is_seeded_and_leaves_the_space_alone():
    first, second = RandomRepair(PROBLEM, 3), RandomRepair(PROBLEM, 3)
    drawn = [first(Proposal(None), ()) for _ in range(5)]
    assert drawn == [second(Proposal(None), ()) for _ in range(5)]
    assert all(CHECK.check(params)[0] == params for params in drawn)
    assert rich_space() == SPACE


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, JSON))
def test_no_repair_raises_whatever_was_proposed(params):
    for repair in (Clamp, Nearest, RandomRepair):
        mended = mend(repair, params) if CHECK.check(params)[1] else None
        assert mended is None or isinstance(mended, dict)
