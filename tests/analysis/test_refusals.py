from __future__ import annotations

import pytest

from analysis.runs.declined import PHRASES, is_refusal


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_phrase_declines(phrase):
    assert is_refusal(f"{phrase} help with that.")
    assert is_refusal(f'\n "{phrase.upper()} do it')


@pytest.mark.parametrize(
    "reply",
    [
        "I can’t do that.",
        "Unfortunately, I cannot.",
        "**I  am\nunable** to",
        "I'm sorry",
        "i cannot",
        "As an AI, I have",
    ],
)
def test_refusals_as_models_write_them(reply):
    assert is_refusal(reply)


@pytest.mark.parametrize(
    "reply",
    [
        'I can\'t be sure, but {"depth": 2}',
        'I cannot decide: {"depth": 2, "depth": 3}',
        "",
        "Sure! depth: 2",
        "The depth is 2. I cannot say more.",
        "I cannoteer",
        "Sorry state of affairs",
        "Unfortunately, the depth is 2",
        '{"depth": "I cannot"}',
        "As an airline",
    ],
)
def test_what_is_none(reply):
    assert not is_refusal(reply)
