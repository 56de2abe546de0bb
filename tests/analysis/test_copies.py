from __future__ import annotations

import json
import math

import pytest

from analysis.runs.copies import Prompts, written
from harness.choices import text_of

PARAMS = {"depth": 2, "rate": 0.1}


def shown(*texts):
    return Prompts().shown({"messages": [{"role": "user", "content": text} for text in texts]})


def is_copy(proposed, *texts, fidelity=None, fidelities=()):
    return not written({"proposed": proposed, "fidelity": fidelity}, fidelities).isdisjoint(shown(*texts))


@pytest.mark.parametrize(
    "text",
    [
        '1. {"depth": 2, "rate": 0.1} score = 0.7',
        '{"rate": 1e-1, "depth": 2.0}',
        '[{"depth": 1, "rate": 0.1}, {"depth": 2, "rate": 0.1}]',
        '{"configuration": {"depth": 2, "rate": 0.1}, "predicted": 0.5}',
        '{"tried": [[{"depth": 2, "rate": 0.1}]]}',
        'in the form {"depth": x, "rate": x}\n```json\n{"depth": 2, "rate": 0.1}\n```',
    ],
)
def test_an_equal_object_in_the_prompt_makes_a_copy(text):
    assert is_copy(PARAMS, "Choose.", text)


@pytest.mark.parametrize(
    "text",
    [
        'in the form {"depth": x, "rate": x}',
        '{"depth": 2}',
        '{"depth": 2, "rate": 0.1, "width": 1}',
        '{"depth": "2", "rate": 0.1}',
        '{"depth": 2, "rate": 0.1000001}',
        "depth is 2, rate is 0.1",
        '{"depth": 2, "rate": 0.1, "rate": 0.1}',
        '{"depth": 2, "rate": 0.1',
        "",
    ],
)
def test_anything_else_does_not(text):
    assert not is_copy(PARAMS, text)


def test_true_is_not_one_and_nan_is_itself():
    assert text_of(True) != text_of(1)
    assert text_of({"a": [1.0, math.nan]}) == text_of({"a": [1, "NaN"]})
    assert text_of(-0.0) == text_of(0)


def test_a_huge_number_is_compared_exactly():
    assert is_copy({"depth": 10**400}, '{"depth": 1' + "0" * 400 + "}")
    assert not is_copy({"depth": 10**400}, '{"depth": 1' + "0" * 399 + "1}")


def test_an_earlier_turn_of_the_model_itself_counts():
    messages = [{"role": "assistant", "content": f"Sure: {json.dumps(PARAMS)}"}, {"role": "user", "content": "Next."}]
    assert Prompts().shown({"messages": messages}) == {text_of(PARAMS)}


def test_another_fidelity_is_another_proposal():
    text = '{"depth": 2, "rate": 0.1, "fidelity": {"steps": 3}}'
    assert is_copy(PARAMS, text, fidelity={"steps": 3})
    assert not is_copy(PARAMS, text, fidelity={"steps": 4})
    assert not is_copy(PARAMS, text)
    assert is_copy(PARAMS, text, fidelities=[{"name": "steps", "upper": 3.0}]), "3 steps are the highest"


def test_what_is_not_on_record_shows_nothing():
    assert Prompts().shown({}) is None
    assert Prompts().shown({"messages": [{"role": "user", "content": None}, 3]}) == frozenset()


def test_a_long_conversation_is_read_once():
    texts = [f'{{"depth": {i}, "rate": 0.1}}' for i in range(500)]
    prompts = Prompts()
    for length in range(len(texts)):
        call = {"messages": [{"role": "assistant", "content": text} for text in texts[:length]]}
        assert len(prompts.shown(call)) == length
