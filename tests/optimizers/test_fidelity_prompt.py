"""Fidelities in the prompt: shown, requested, read from the answer, and given with each result."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest
from ConfigSpace import ConfigurationSpace, Float
from hydra.utils import instantiate

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Fidelity, Outcome
from harness.repair import NoRepair
from harness.trial import Proposal, Trial
from llms.decoding import Decoding
from optimizers.centaur import Centaur
from optimizers.chat.prompt import Prompt, result
from optimizers.hollm.hollm import HOLLM
from optimizers.human import Human
from optimizers.llambo.llambo import LLAMBO
from optimizers.llinbo.llinbo import LLINBO
from optimizers.llm_chat import LLMChat
from optimizers.llm_tpe import LLMTPE
from optimizers.opro import OPRO
from tests.support.chat_methods import built
from tests.support.chosen import chosen
from tests.support.fakes import Line, ScriptedChat

GOLDEN = Path(__file__).parent / "golden" / "llm_chat_fidelity.txt"
POINT = {"x1": 0.5, "x2": 2.5, "surface": "smooth"}
ASKED = Prompt(fidelity=True)


def reply(**more):
    return json.dumps(POINT | more)


def run(replies, prompt=ASKED, benchmark=None, decoding=None, **settings):
    benchmark, chat, budget, rows = benchmark or Toy(), ScriptedChat(replies), Budget(proposals=len(replies)), []
    decoding = decoding or Decoding()
    optimizer = built(LLMChat, benchmark.problem, 3, budget, chat=chat, prompt=prompt, decoding=decoding, **settings)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    return rows, chat.requests


REPLIES = [
    reply(fidelity={"steps": 3}),
    reply(),
    reply(fidelity={"steps": 27}),
    reply(fidelity={"steps": 30}),
    reply(fidelity={"epochs": 3}),
    reply(fidelity={"steps": "3"}),
    reply(fidelity=3),
    reply(fidelity=None),
    reply(fidelity={}),
]


def test_a_fidelity_is_split_off_and_an_invented_one_is_a_fault():
    rows, _ = run(REPLIES)
    assert [row["fidelity"] for row in rows] == [
        {"steps": 3}, None, None, {"steps": 30}, {"epochs": 3}, {"steps": "3"}, 3, None, None
    ]  # fmt: skip
    faults = [[(each["fault"], each["name"]) for each in row["violations"]] for row in rows]
    assert faults[3:7] == [
        [("out_of_range", "fidelity.steps")],
        [("unknown", "fidelity.epochs")],
        [("wrong_type", "fidelity.steps")],
        [("wrong_type", "fidelity")],
    ]
    assert faults[:3] + faults[7:] == [[]] * 5
    assert all(row["proposed"] == POINT for row in rows)
    assert [row["duplicate_of"] for row in rows[:3]] == [None, None, 1]
    assert rows[0]["losses"]["value"] > rows[1]["losses"]["value"]


def test_the_prompt_reads_as_agreed():
    """Renew after a deliberate change: HYPERBOLE_RENEW=1 python -m pytest tests/optimizers/test_fidelity_prompt.py."""
    text = run([*REPLIES[:5], "no"])[1][-1].messages[0].content + "\n"
    if os.environ.get("HYPERBOLE_RENEW"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_a_conversation_tells_at_which_fidelity_a_result_was_obtained():
    messages = run([*REPLIES[:2], "no"], history="conversation")[1][-1].messages
    results = [message.content for message in messages if message.role == "user"][1:]
    assert "(at steps = 3, below the highest fidelity). Specify" in results[0]
    assert "(at the highest fidelity). Specify" in results[1]


def test_seconds_are_told_where_they_were_measured():
    line = Line()
    shown = Trial(0, Proposal({}), outcome=Outcome({"score": 0.5}), evaluation_seconds=2.0)
    objective = line.problem.objectives[0]
    assert result(shown, objective, ASKED) == "score = -0.5 (at the highest fidelity, in 2 s)."
    assert result(shown, objective, Prompt()) == "score = -0.5."
    lower = dataclasses.replace(shown, proposal=Proposal({}, {"epochs": 3, "share": 0.5}), evaluation_seconds=None)
    assert (
        result(lower, objective, ASKED) == "score = -0.5 (at epochs = 3 and share = 0.5, below the highest fidelity)."
    )


@pytest.mark.parametrize("reasoning", [False, True])
def test_a_schema_allows_every_fidelity_and_requires_none(reasoning):
    fidelities = (Fidelity("steps", 1, 27, integer=True), Fidelity("share", 0.1, 1.0))
    toy = Toy()
    toy.problem = dataclasses.replace(toy.problem, fidelities=fidelities)
    answer = POINT | {"fidelity": {"share": 0.5}}
    text = json.dumps(({"reasoning": "cheap"} if reasoning else {}) | {"configuration": answer})
    prompt = Prompt(fidelity=True, reasoning=reasoning)
    toy.evaluate = lambda params, fidelity, seed: Outcome({"value": 1.0})
    rows, requests = run([text], prompt, toy, Decoding("json_schema"))
    assert (rows[0]["proposed"], rows[0]["fidelity"], rows[0]["violations"]) == (POINT, {"share": 0.5}, [])
    cases = requests[0].schema["properties"]["configuration"]["anyOf"]
    assert len(cases) == 3
    for case in cases:
        assert "fidelity" not in case["required"]
        assert case["properties"]["fidelity"] == {
            "type": "object",
            "properties": {
                "steps": {"type": "integer", "minimum": 1, "maximum": 27},
                "share": {"type": "number", "minimum": 0.1, "maximum": 1.0, "multipleOf": 1e-05},
            },
            "additionalProperties": False,
        }


def test_unasked_a_fidelity_is_an_unknown_hyperparameter_and_the_prompt_does_not_speak_of_any():
    rows, requests = run([REPLIES[0]], Prompt())
    assert [each["name"] for each in rows[0]["violations"]] == ["fidelity"]
    assert "fidelity" not in requests[0].messages[0].content


@pytest.mark.parametrize("method", [Centaur, HOLLM, LLAMBO, LLINBO, LLMTPE, OPRO, Human])
def test_other_methods_name_the_one_that_can(method):
    settings = {} if method is Human else {"decoding": Decoding()}
    with pytest.raises(SettingError, match=r"prompt.fidelity=true is for optimizer=llm_chat"):
        built(method, Toy().problem, 0, Budget(proposals=9), chat=ScriptedChat([]), prompt=ASKED, **settings)


def test_a_task_must_have_a_fidelity_and_leave_its_key_free():
    with pytest.raises(SettingError, match=r"fake.line has none; take a task that has one"):
        run(["{}"], benchmark=Line())
    toy = Toy()
    space = ConfigurationSpace()
    space.add(Float("fidelity", (0.0, 1.0)))
    toy.problem = dataclasses.replace(toy.problem, space=space, default={"fidelity": 0.5})
    with pytest.raises(SettingError, match="has a hyperparameter named 'fidelity'"):
        run(["{}"], benchmark=toy)


def test_the_file_differs_from_plain_in_the_fidelity_alone():
    plain, other = (instantiate(chosen("prompt", name)) for name in ("plain", "fidelity"))
    assert dataclasses.replace(plain, fidelity=True) == other != plain
