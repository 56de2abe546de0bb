from __future__ import annotations

import json

import pytest

from harness.jsonl import encode
from harness.objects import MOST_LEVELS, find_objects
from harness.rows import to_row
from harness.trial import Proposal, Trial


def nested(levels, opening='{"a":', closing="}"):
    return opening * levels + "1" + closing * levels


def found(text):
    return [value for _, _, value in find_objects(text)[0]]


@pytest.mark.parametrize("levels", [1, 2, MOST_LEVELS])
def test_an_object_of_so_many_levels_is_one(levels):
    assert found(nested(levels)) == [json.loads(nested(levels))]


@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, MOST_LEVELS + 30, 480, 600, 960, 5000, 100_000])
def test_a_deeper_one_is_none_and_nor_are_those_inside_it(levels):
    """At 480 levels the row of such a proposal could not be written: encoding it exhausted the stack."""
    assert found(nested(levels)) == []
    assert found('{"a": ' + nested(levels, "[", "]") + "}") == []


def test_what_stands_after_a_deep_one_is_found():
    assert found(nested(200) + ' or {"depth": 2}') == [{"depth": 2}]


def test_a_wide_one_may_be_of_any_size():
    wide = {f"name {number}": [number] for number in range(2000)}
    assert found(json.dumps(wide)) == [wide]


def test_the_deepest_one_can_be_written_down():
    (value,) = found(nested(MOST_LEVELS))
    assert json.loads(encode(to_row(Trial(0, Proposal(value)), "")))["proposed"] == value
