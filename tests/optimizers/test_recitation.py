"""Recitation: the prompt, the parsed answer, and no learning."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.budget import Budget
from harness.chat import Completion
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Description
from harness.repair import NoRepair
from harness.trial import Fault, Usage
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt
from optimizers.recitation import SCORE, Recitation
from tests.support.chat_methods import built
from tests.support.fakes import Line, ScriptedChat

CONFIGURATION = {"x": 0.25, "units": 1}
DESCRIPTION, STATISTICS = Description("A line is fitted to the data set flat."), "7 rows, 3 columns."
TOLD = {"description": DESCRIPTION, "contexts": {"statistics": STATISTICS, "names": "The data set flat: x, y."}}


class Told(Line):
    def __init__(self, **changes):
        super().__init__()
        self.problem = replace(self.problem, **{**TOLD, **changes})


def run(replies, benchmark=None, proposals=3, prompt=None, decoding=None, **settings):
    chat = ScriptedChat(replies)
    benchmark = benchmark or Told()
    budget = Budget(proposals=proposals)
    decoding, prompt = decoding or Decoding(), prompt or Prompt()
    optimizer = built(Recitation, benchmark.problem, 3, budget, chat=chat, prompt=prompt, decoding=decoding, **settings)
    rows = []
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    return rows, chat


def asked(**settings):
    return run(lambda request: "{}", proposals=1, **settings)[1].requests[0].messages[0].content


def row_of(reply, **settings):
    return run(lambda request: reply, proposals=1, **settings)[0][0]


def test_what_it_is_asked():
    assert asked() == (
        "You are helping tune hyperparameters. A line is fitted to the data set flat. "
        'This is the task "line" of the public benchmark "fake", whose results are published.\n'
        "This is the search space:\n"
        '- "units": an integer from 1 to 8\n'
        '- "x": a number from 0.0 to 1.0\n'
        "Nothing will be tried. Recall from memory: which configuration is known to have the highest score, and what "
        "is its score, y?\n"
        "Provide a configuration in JSON format, without line breaks or any other text, in the form "
        '{"configuration": {"units": x, "x": x}, "score": y}'
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"prompt": Prompt(context="none")},
        {"benchmark": Told(description=Description(), contexts={})},
        {"prompt": Prompt(context="statistics")},
    ],
    ids=["no context", "nothing to tell", "statistics"],
)
def test_what_is_not_to_be_named_is_not_named(settings):
    told = asked(**settings)
    assert "fake" not in told
    assert "flat" not in told
    assert "public benchmark" not in told
    assert "highest score" in told


def test_with_names_the_benchmark_is_named():
    assert 'public benchmark "fake"' in asked(prompt=Prompt(context="names"))


def test_the_score_is_what_it_predicts():
    row = row_of(json.dumps({"configuration": CONFIGURATION, "score": 0.9}))
    assert (row["proposed"], row["predicted"], row["violations"]) == (CONFIGURATION, 0.9, [])
    assert row["losses"] == {"score": 0.01}


@pytest.mark.parametrize("score", ['"0.9"', "null", "true", "NaN", "Infinity", "1e999", "9" * 400, "[0.9]", "{}"])
def test_a_score_that_is_no_finite_number_is_none(score):
    row = row_of(f'{{"configuration": {json.dumps(CONFIGURATION)}, "score": {score}}}')
    assert (row["proposed"], row["predicted"], row["violations"]) == (CONFIGURATION, None, [])


def test_the_score_may_stand_with_the_hyperparameters_and_what_is_made_up_stays():
    row = row_of(f"I recall {json.dumps(CONFIGURATION | {'score': 0.9})}, I think.")
    assert (row["proposed"], row["predicted"], row["note"]) == (CONFIGURATION, 0.9, "text around the object")
    made_up = row_of(json.dumps(CONFIGURATION | {"score": 0.9, "reasoning": "none"}))
    assert [violation["name"] for violation in made_up["violations"]] == ["reasoning"]


def test_a_hyperparameter_called_score_is_one():
    from ConfigSpace import ConfigurationSpace, Float

    benchmark = Told()
    space = ConfigurationSpace(name="line", seed=0)
    space.add(Float("score", (0.0, 1.0)))
    benchmark.problem = replace(benchmark.problem, space=space, default={"score": 0.5})
    benchmark.evaluate = lambda params, fidelity, seed: Line().evaluate({"x": params["score"], "units": 1}, None, 0)
    flat = row_of('{"score": 0.5}', benchmark=benchmark)
    assert (flat["proposed"], flat["predicted"], flat["violations"]) == ({"score": 0.5}, None, [])
    both = row_of('{"configuration": {"score": 0.5}, "score": 7}', benchmark=benchmark)
    assert (both["proposed"], both["predicted"]) == ({"score": 0.5}, 7)


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("I do not remember.", Fault.UNPARSEABLE),
        (Completion('{"configuration": {"x"', "length", Usage(1)), Fault.TRUNCATED),
        ('{"configuration": 3, "score": 0.5}', Fault.UNKNOWN),
    ],
)
def test_what_is_no_answer_is_charged(reply, fault):
    row = row_of(reply)
    assert row["executed"] is None
    assert fault in [violation["fault"] for violation in row["violations"]]


def test_under_a_schema_the_reply_is_closed_and_its_score_bounded():
    _, chat = run(lambda request: "{}", decoding=Decoding(mode="json_schema"))
    schema = chat.requests[0].schema
    assert list(schema["properties"]) == schema["required"] == ["configuration", "score"]
    assert schema["properties"]["score"] == SCORE
    assert list(schema["properties"]["configuration"]["properties"]) == ["units", "x"]
    _, chat = run(lambda request: "{}", decoding=Decoding(mode="json_schema"), prompt=Prompt(reasoning=True))
    assert list(chat.requests[0].schema["properties"]) == ["reasoning", "configuration", "score"]


def test_reasoning_is_kept_where_it_is_asked_for():
    reply = json.dumps({"reasoning": "I saw the table.", "configuration": CONFIGURATION, "score": 0.9})
    row = row_of(reply, prompt=Prompt(reasoning=True), decoding=Decoding(mode="json_object"))
    assert (row["reason"], row["proposed"], row["predicted"]) == ("I saw the table.", CONFIGURATION, 0.9)
    assert row_of(reply)["reason"] is None
    said = row_of(f"It was this one. {json.dumps({'configuration': CONFIGURATION})}", prompt=Prompt(reasoning=True))
    assert (said["reason"], said["proposed"]) == ("It was this one.", CONFIGURATION)


def test_without_a_task_in_the_probe_group_nothing_of_it_is_named():
    """What the experiment ``recitation`` compares: space and objective stay, all names of the task are removed."""
    from benchmarks.hpobench.hpobench import HPOBench
    from benchmarks.probes.probe import probed
    from harness.probe import Family

    plain = HPOBench("vehicle")
    nobodys = probed(plain, Family((), HPOBench), 0, task="none")
    named, nameless = asked(benchmark=plain), asked(benchmark=nobodys)
    assert 'This is the task "vehicle" of the public benchmark "hpobench"' in named
    assert not [word for word in ("hpobench", "vehicle", "OpenML", "MLP", "846") if word in nameless]
    assert named.partition("This is the search space:")[2] == nameless.partition("This is the search space:")[2]


def test_nothing_is_learnt_and_all_are_asked_together():
    """One prompt for all, independent of results; each reply has its own seed, and each call is charged once."""
    rows, chat = run(lambda request: json.dumps(CONFIGURATION), proposals=5, samples=3)
    assert len({request.messages for request in chat.requests}) == 1
    assert len({request.seed for request in chat.requests}) == 5 == len(chat.requests)
    assert {request.temperature for request in chat.requests} == {0.7}
    assert [row["usage"]["calls"] for row in rows] == [3, 0, 0, 2, 0]
    assert [row["calls"] for row in rows] == [[0], [1], [2], [3], [4]]
    assert [row["duplicate_of"] for row in rows] == [None, 0, 0, 0, 0]


def test_samples_below_one():
    with pytest.raises(SettingError, match=r"optimizer.samples is 0"):
        run([], samples=0)
