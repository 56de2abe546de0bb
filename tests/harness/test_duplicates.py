from __future__ import annotations

import math

import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Constant, Float, Integer, OrdinalHyperparameter

from harness.duplicates import STEPS, Seen


@pytest.fixture
def space():
    space = ConfigurationSpace(seed=0)
    space.add(
        [
            Float("share", (0.0, 1.0)),
            Float("rate", (1e-4, 1.0), log=True),
            Integer("depth", (1, 8)),
            Integer("width", (1, 1000)),
            Categorical("batch", [4, 40, 400]),
            OrdinalHyperparameter("level", [-1.0, 0.0, 1.0]),
            Categorical("kernel", ["rbf", "poly"]),
            Categorical("shrink", [True, False]),
            Constant("kind", "svm"),
        ]
    )
    return space


@pytest.fixture
def seen(space):
    return Seen(space)


def test_the_first_of_its_kind_is_nothing(seen):
    assert seen({"share": 0.5}, None, 0) == (None, None)


def test_an_exact_duplicate_is_no_near_one(seen):
    seen({"share": 0.5, "depth": 2}, None, 0)
    assert seen({"depth": 2, "share": 0.5}, None, 1) == (0, None)
    assert seen({"share": 0.5, "depth": 2}, None, 2) == (0, None), "the first one is named"


def test_a_near_duplicate_names_the_first_of_its_cell(seen):
    seen({"share": 0.5}, None, 0)
    assert seen({"share": 0.501}, None, 1) == (None, 0)
    assert seen({"share": 0.499}, None, 2) == (None, 0)
    assert seen({"share": 0.501}, None, 3) == (1, None), "exactly what trial 1 proposed"


@pytest.mark.parametrize(
    ("name", "one", "near", "far"),
    [
        ("share", 0.5, 0.5049, 0.5051),
        ("rate", 0.01, 0.01 * 1e4 ** (0.49 / STEPS), 0.01 * 1e4 ** (0.51 / STEPS)),
        ("rate", 0.0001, 0.000104, 0.0002),
        ("depth", 3, 3.4, 4),
        ("width", 500, 501, 506),
        ("batch", 40, 100, 200),
        ("level", 0.0, 0.4, 0.6),
    ],
)
def test_numbers_are_rounded_on_their_own_scale(space, name, one, near, far):
    assert Seen(space).rounded({name: near}) == Seen(space).rounded({name: one})
    assert Seen(space).rounded({name: far}) != Seen(space).rounded({name: one})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("share", 1.0001),
        ("share", -0.0001),
        ("share", "0.5"),
        ("share", True),
        ("share", None),
        ("share", math.inf),
        ("share", [0.5]),
        ("share", 10**400),
        ("rate", 0),
        ("batch", 401),
        ("batch", -(10**400)),
        ("level", False),
        ("kernel", "rbf"),
        ("shrink", 1),
        ("kind", "svm"),
        ("made_up", 0.123456),
    ],
)
def test_what_is_no_number_of_the_range_stays(seen, name, value):
    assert seen.rounded({name: value}) == {name: value}
    assert type(seen.rounded({name: value})[name]) is type(value)


def test_nan_stays_and_is_a_duplicate_of_itself(seen):
    assert seen({"share": math.nan}, None, 0) == (None, None)
    assert seen({"share": math.nan}, None, 1) == (0, None)


def test_a_boolean_is_no_number(seen):
    seen({"depth": 1}, None, 0)
    assert seen({"depth": True}, None, 1) == (None, None)


def test_another_fidelity_is_another_proposal(seen):
    seen({"share": 0.5}, {"steps": 3}, 0)
    assert seen({"share": 0.5}, None, 1) == (None, None)
    assert seen({"share": 0.5}, {"steps": 4}, 2) == (None, None)
    assert seen({"share": 0.501}, {"steps": 3}, 3) == (None, 0)


def test_an_unreadable_reply_is_the_same_as_nothing(seen):
    assert seen(None, None, 0) == (None, None)
    assert seen(None, None, 1) == (None, None)


def test_keys_that_cannot_be_sorted_and_values_json_lacks_are_no_error(seen):
    odd = {1: object, "share": {0.5}}
    assert seen(odd, None, 0) == (None, None)
    assert seen(odd, "high", 1) == (None, None)
    assert seen(odd, None, 2) == (0, None)
