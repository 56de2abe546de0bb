from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest

from harness.budget import Budget
from harness.chat import Completion
from harness.errors import SettingError
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.trial import Usage
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt, space_lines
from optimizers.llm_chat import LLMChat
from tests.support.chat_methods import built
from tests.support.fakes import VALID, Line, ScriptedChat, rich_space

GOLDEN = Path(__file__).parent / "golden"
GOOD = '{"x": 0.5, "units": 2}'
REPLIES = [GOOD, 'Of course: {"x": 7}', "I cannot.", Completion('{"x": 0.', "length", Usage(1, 9, 0, 3, 0.5), 3), GOOD]


def run(replies=REPLIES, benchmark=None, decoding=None, prompt=None, **settings):
    chat = ScriptedChat(replies)
    benchmark = benchmark or Line()
    budget = Budget(proposals=len(replies))
    optimizer = built(
        LLMChat,
        benchmark.problem,
        3,
        budget,
        chat=chat,
        prompt=prompt,
        decoding=decoding,
        **settings,
    )
    rows = []
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    return rows, chat.requests


def transcript(requests):
    return "\n\n".join(f"[{message.role}]\n{message.content}" for message in requests[-1].messages) + "\n"


@pytest.mark.parametrize("history", ["conversation", "compressed"])
def test_the_prompt_reads_as_agreed(history):
    """Renew after a deliberate change: HYPERBOLE_RENEW=1 python -m pytest tests/optimizers/test_llm_chat.py."""
    text = transcript(run(history=history)[1])
    path = GOLDEN / f"llm_chat_{history}.txt"
    if os.environ.get("HYPERBOLE_RENEW"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()


def test_replies_become_rows():
    rows, _ = run()
    assert [[violation["fault"] for violation in row["violations"]] for row in rows] == [
        [],
        ["out_of_range", "missing"],
        ["unparseable"],
        ["truncated"],
        [],
    ]
    assert rows[1]["note"] == "text around the object"
    assert [row["calls"] for row in rows] == [[0], [1], [2], [3], [4]]
    assert rows[3]["usage"] == {
        "calls": 1,
        "prompt_tokens": 9,
        "cached_tokens": 0,
        "completion_tokens": 3,
        "seconds": 0.5,
        "reasoning_tokens": 0,
    }


@pytest.mark.parametrize("history", ["conversation", "compressed"])
def test_each_prompt_starts_with_the_one_before_but_for_its_last_line(history):
    _, requests = run(history=history)
    texts = [json.dumps([(message.role, message.content) for message in request.messages]) for request in requests]
    if history == "compressed":
        texts = [request.messages[-1].content for request in requests]
    for before, after in itertools.pairwise(texts):
        shared = next(i for i, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
        assert shared > len(before) - 40


def test_the_model_is_told_scores_as_reported_and_nothing_else():
    _, requests = run()
    text = transcript(requests)
    assert "score = -0.27" in text
    assert "test_score" not in text
    assert "-1.27" not in text
    assert "-0.01" not in text, "the optimum"


def test_without_feedback_the_model_learns_only_that_it_was_invalid():
    text = transcript(run(prompt=Prompt(feedback=False))[1])
    assert "Your proposal was invalid." in text
    assert "out of range" not in text


def test_reasoning_in_free_text_takes_the_last_object():
    reply = 'As {"x": 0.1, "units": 1} is small, I try {"x": 0.3, "units": 1}'
    rows, requests = run([reply], prompt=Prompt(reasoning=True))
    assert rows[0]["proposed"] == {"x": 0.3, "units": 1}
    assert "Reason in at most three sentences first" in requests[0].messages[0].content


def test_reasoning_under_a_schema_is_wrapped():
    reply = json.dumps({"reasoning": "why not", "configuration": {"x": 0.3, "units": 1}})
    rows, requests = run([reply], Line(), Decoding("json_schema"), Prompt(reasoning=True))
    assert rows[0]["proposed"] == {"x": 0.3, "units": 1}
    assert requests[0].schema["required"] == ["reasoning", "configuration"]


def test_sampling_is_seeded_and_the_temperature_can_be_overridden():
    first, second = run()[1], run()[1]
    assert [request.seed for request in first] == [request.seed for request in second]
    assert len({request.seed for request in first}) == len(first)
    assert {request.temperature for request in first} == {0.0}
    assert run(decoding=Decoding(temperature=0.8))[1][0].temperature == 0.8


def test_an_unknown_history_is_refused():
    with pytest.raises(SettingError, match="did you mean 'compressed'"):
        run(history="compresed")


def test_every_kind_of_hyperparameter_and_clause_is_described():
    from harness.problem import Objective, Problem

    lines = space_lines(Problem("p", rich_space(), (Objective("loss", "minimize"),), VALID))
    assert sorted(lines) == [
        '"batch": one of [16, 32, 64]',
        '"coef0": a number from 0.0 to 1.0, only given if (kernel == "poly" and degree > 2)',
        '"cost": a number from 0.001 to 1000.0, log scale',
        '"degree": an integer from 1 to 5, only given if kernel == "poly"',
        '"kernel": one of ["linear", "rbf", "poly"]',
        '"kind": always "svm"',
        '"shrink": one of [true, false]',
        'not allowed: (kernel == "linear" and batch == 64)',
    ]
