from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizers.chat.parse import Parsed, parse_reply

OBJECT = '{"depth": 2, "alpha": 1e-3}'
PARAMS = {"depth": 2, "alpha": 1e-3}


def parsed(text, finish="stop", **how):
    return parse_reply(text, finish, **how)


@pytest.mark.parametrize("text", [OBJECT, f"  {OBJECT}\n", '{\n "depth": 2,\n "alpha": 0.001\n}'])
def test_a_bare_object_needs_no_note(text):
    assert parsed(text) == Parsed(PARAMS)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"```json\n{OBJECT}\n```", "code fence"),
        (f"```\n{OBJECT}\n```", "code fence"),
        (f"Sure! Try {OBJECT} next.", "text around the object"),
        (f"{OBJECT} {OBJECT}", "2 objects, the first taken"),
        (f"Here:\n```json\n{OBJECT}\n```\nGood luck", "code fence, text around the object"),
    ],
)
def test_what_stands_around_an_object_is_noted(text, note):
    assert parsed(text) == Parsed(PARAMS, note=note)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "no",
        "[1, 2]",
        "2",
        '"depth: 2"',
        "null",
        "{depth: 2}",
        "{'depth': 2}",
        '{"depth": 2',
        '{"depth": 2,}',
        "}{",
        "{" * 100_000,
        "[" * 100_000,
        "\x00\ud800",
    ],
)
def test_without_an_object_there_is_no_configuration(text):
    assert parsed(text) == Parsed(None)
    assert parsed(text, "length") == Parsed(None, truncated=True)


def test_deeper_than_the_parser_goes_is_unparseable():
    assert parsed('{"a":' * 100_000 + "1" + "}" * 100_000).params is None


def test_a_cut_reply_with_a_whole_object_is_that_object():
    assert parsed(f"{OBJECT} and then I", "length").params == PARAMS


def test_a_key_twice_is_no_configuration():
    found = parsed('{"depth": 2, "depth": 3}')
    assert found.params is None
    assert "'depth'" in found.note


def test_of_several_objects_the_first_or_the_last_is_taken():
    text = '{"depth": 1} then {"depth": 2} then {"depth": 3}'
    assert parsed(text).params == {"depth": 1}
    assert parsed(text, last=True).params == {"depth": 3}
    assert "3 objects" in parsed(text).note


def test_a_nested_object_belongs_to_the_outer_one():
    assert parsed('{"depth": {"value": 2}}').params == {"depth": {"value": 2}}


def test_a_wrapped_configuration_is_unwrapped_and_one_that_is_not_is_taken_as_it_is():
    assert parsed('{"reasoning": "so", "configuration": {"depth": 2}}', key="configuration").params == {"depth": 2}
    assert parsed('{"depth": 2}', key="configuration").params == {"depth": 2}
    assert parsed('{"configuration": 3}', key="configuration").params == {"configuration": 3}


def test_the_reasoning_that_was_asked_for_is_kept():
    assert parsed(f"Sure, go deeper.\n```json\n{OBJECT}\n```", last=True).reason == "Sure, go deeper."
    assert parsed(f'{{"depth": 1}} failed, so {OBJECT} it is', last=True).reason == '{"depth": 1} failed, so'
    assert parsed(f"```{OBJECT}```\n because it is wide ", last=True).reason == "because it is wide"
    assert parsed(OBJECT, last=True).reason is None
    assert parsed("I would go deeper.", last=True) == Parsed(None)
    assert parsed(f"Sure: {OBJECT}").reason is None


@pytest.mark.parametrize(
    ("stated", "reason"),
    [('" wider "', "wider"), ('""', None), ("3", None), ('{"why": 1}', None), ("null", None)],
)
def test_reasoning_in_a_wrapped_reply_is_the_text_under_its_key(stated, reason):
    text = f'{{"reasoning": {stated}, "configuration": {{"depth": 2}}}}'
    assert parsed(text, key="configuration") == Parsed({"depth": 2}, reason=reason)
    assert parsed(f"So: {text}", key="configuration").reason == (reason or "So:")


def test_a_hyperparameter_named_reasoning_is_no_reason():
    assert parsed('{"reasoning": "a"}') == Parsed({"reasoning": "a"})
    assert parsed('{"reasoning": "a"}', last=True) == Parsed({"reasoning": "a"})


def test_numbers_json_lacks_are_read_as_what_they_say():
    found = parsed('{"a": NaN, "b": -Infinity}').params
    assert math.isnan(found["a"])
    assert found["b"] == -math.inf


def test_a_number_of_ten_thousand_digits_is_classified():
    assert parsed('{"a": ' + "9" * 10_000 + "}").params is None


def test_strings_and_booleans_stay_what_they_are():
    assert parsed('{"depth": "2", "alpha": true}').params == {"depth": "2", "alpha": True}


def test_a_huge_reply_is_read_in_bounded_time():
    assert parsed("{ " * 250_000 + OBJECT).params == PARAMS
    assert parsed(OBJECT + "x" * 10_000_000).params == PARAMS
    assert parsed('{"a":[' * 49 + "1," * 90_000).params is None


@pytest.mark.parametrize("junk", ['{"depth": 1}', "{", '{"depth": 1, "depth": 1}', "{}", '"{', "x" * 5000 + "{ "])
def test_however_much_stands_before_the_last_object_it_is_taken(junk):
    assert parsed(junk * 60 + OBJECT, last=True).params == PARAMS


def test_of_sixty_recited_trials_and_an_answer_the_note_counts_all():
    recited = "\n".join(f'{number}. {{"depth": {number}}} -> 0.{number}' for number in range(60))
    found = parsed(f"{recited}\nSo I propose {OBJECT}", last=True)
    assert (found.params, found.note) == (PARAMS, "61 objects, the last taken")


@pytest.mark.parametrize("spoilt", ['{"a": 1, "a": {"depth": 2}}', '{"n": %s, "b": {"depth": 2}}' % ("9" * 5000)])
def test_what_stands_inside_an_object_that_cannot_be_read_is_no_configuration_either(spoilt):
    assert parsed(spoilt).params is None
    assert parsed(spoilt + OBJECT).params == PARAMS


PIECES = st.sampled_from(
    ["{", "}", '"', ":", ",", "depth", "2", "```json\n", "```", " ", "[", "]", "\\", "null", OBJECT]
)


@settings(max_examples=1500, deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES).map("".join)), st.sampled_from(["stop", "length", None]), st.booleans())
def test_any_reply_is_classified_and_none_raises(text, finish, last):
    found = parse_reply(text, finish, last)
    assert found.params is None or isinstance(found.params, dict)
    assert not (found.truncated and finish != "length")


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(OBJECT)), st.integers(0, len(OBJECT)), st.text(max_size=3))
def test_mutations_of_a_real_reply_are_classified(start, stop, junk):
    found = parse_reply(OBJECT[:start] + junk + OBJECT[stop:], "stop")
    assert found.params is None or isinstance(found.params, dict)
