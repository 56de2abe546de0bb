from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.jsonl import encode
from harness.objects import MOST_LEVELS, find_objects, levels_within, object_texts
from harness.rows import to_row
from harness.trial import Proposal, Trial


def nested(levels, opening='{"a":', closing="}"):
    return opening * levels + "1" + closing * levels


def found(text):
    return [value for _, _, value in find_objects(text).objects]


@pytest.mark.parametrize("levels", [1, 2, MOST_LEVELS])
def test_an_object_with_the_most_levels_counts(levels):
    assert found(nested(levels)) == [json.loads(nested(levels))]


@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, MOST_LEVELS + 30, 480, 600, 960, 5000, 100_000])
def test_a_deeper_object_and_those_inside_it_do_not_count(levels):
    """At 480 levels the row of such a proposal could not be written: encoding it exhausted the stack."""
    assert found(nested(levels)) == []
    assert found('{"a": ' + nested(levels, "[", "]") + "}") == []


def test_an_object_after_a_deep_one_is_found():
    assert found(nested(200) + ' or {"depth": 2}') == [{"depth": 2}]


def test_a_wide_object_may_have_any_size():
    wide = {f"name {number}": [number] for number in range(2000)}
    assert found(json.dumps(wide)) == [wide]


def test_the_deepest_one_can_be_written_down():
    (value,) = found(nested(MOST_LEVELS))
    assert json.loads(encode(to_row(Trial(0, Proposal(value)), "")))["proposed"] == value


def decoded_from_the_left(text):
    """The definition of "outermost", ignoring speed: the json module tried at every brace."""
    texts, position = [], 0
    while (start := text.find("{", position)) >= 0:
        try:
            position = json.JSONDecoder().raw_decode(text, start)[1]
        except ValueError:
            position = start + 1
        else:
            texts.append(text[start:position])
    return texts


PIECES = [
    "{", "}", '"', ":", ",", "[", "]", "\\", "1", "-", ".", "e", "0", "a", '{"a":', '{"a": 1}', "null", "NaN",
    "-Infinity", '"b"', " ", "\n", '\\"', "\\u00e9", '{"', '": ', "true", "1.5e3", '{"x": "{', "\x01", "\ud800",
]  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_objects_are_those_that_the_json_module_finds(text):
    assert object_texts(text) == decoded_from_the_left(text)


def test_there_is_no_limit_to_their_number():
    text = "".join(f'{{"trial": {number}}}' for number in range(500))
    assert [value["trial"] for value in found("{ " * 500 + text)] == list(range(500))
    assert len(object_texts(text)) == 500


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[' * 49 + "1," * 90_000,
        '{"a":' * 49 + "{" + '"k":1,' * 90_000,
        '{"a":' * 50_000 + "1" + "}" * 49_999,
        '{"' * 100_000,
        '{"{"' * 50_000,
        '{"\\"' * 50_000,
        '{"' + "\\" * 200_000,
        '{"a": "{", "b": {"c": ' * 10_000,
        "{" + ",".join(f'"{number}": 1' for number in range(50_000)) + ', "7": 2}',
    ],
)
def test_hostile_texts_are_read_in_linear_time(text):
    """Each took minutes or hours if a failed attempt was followed by another from the next brace on."""
    assert found(text) == []


def test_levels():
    assert levels_within([[1]], 2)
    assert not levels_within([[1]], 1)
    assert levels_within(1, 0)
