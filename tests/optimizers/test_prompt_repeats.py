"""prompt.repeats: whether a model is told that its proposal was evaluated before."""

from __future__ import annotations

import json

import pytest
from omegaconf import OmegaConf

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.choice_files import CONF
from harness.errors import SettingError
from harness.loop import run_loop
from harness.repair import Nearest, NoRepair
from harness.start import DefaultStart, begin_with
from llms.decoding import Decoding
from optimizers.centaur import Centaur
from optimizers.chat.prompt import Prompt
from optimizers.hollm.hollm import HOLLM
from optimizers.llambo.llambo import LLAMBO
from optimizers.llinbo.llinbo import LLINBO
from optimizers.llm_chat import LLMChat
from optimizers.llm_tpe import LLMTPE
from optimizers.opro import OPRO
from optimizers.recitation import Recitation
from tests.support.chat_methods import built
from tests.support.chosen import chosen
from tests.support.fakes import Line, ScriptedChat

GOOD, OTHER = '{"x": 0.5, "units": 4}', '{"x": 0.25, "units": 2}'
TOLD = Prompt(repeats="told")
SAID = "This configuration was evaluated already, as trial"


def play(
    replies, method=LLMChat, *, prompt=TOLD, benchmark=None, repair=NoRepair, start=False, trials=None, **settings
):
    """The text of each request, and the rows."""
    chat, rows = ScriptedChat(replies), []
    benchmark, budget = benchmark or Line(), Budget(proposals=trials or len(replies))
    optimizer = built(method, benchmark.problem, 3, budget, chat=chat, prompt=prompt, decoding=Decoding(), **settings)
    if start:
        optimizer = begin_with(DefaultStart(), benchmark.problem, optimizer)
    run_loop(benchmark, optimizer, repair(benchmark.problem, 0), budget, 0, rows.append)
    return ["\n".join(message.content for message in request.messages) for request in chat.requests], rows


@pytest.mark.parametrize("history", ["compressed", "conversation"])
def test_the_next_message_says_as_which_trial_and_with_which_score(history):
    asked, _ = play([OTHER, GOOD, OTHER, OTHER, GOOD], history=history)
    assert SAID not in asked[2]
    assert f"score = -0.02. {SAID} 1, with score = -0.02." in asked[3]
    assert asked[4].count(f"{SAID} 1, ") == 2, "the first one that was evaluated, not the last"
    untold, _ = play([OTHER, GOOD, OTHER, OTHER, GOOD], history=history, prompt=Prompt())
    assert asked[:3] == untold[:3]
    assert asked[4].replace(f" {SAID} 1, with score = -0.02.", "") == untold[4]


def test_a_configuration_of_the_start_was_evaluated_too():
    asked, _ = play([GOOD, OTHER], start=True, trials=3)
    assert f"{SAID} 1, with score = -0.29." in asked[1]


def test_what_was_never_evaluated_is_not_said_to_have_been():
    asked, rows = play(['{"x": 7, "units": 2}'] * 3)
    assert rows[1]["duplicate_of"] == 0
    assert SAID not in "".join(asked)


def test_two_proposals_with_one_executed_configuration_are_repeats():
    asked, _ = play(['{"x": 1.0, "units": 2}', '{"x": 7, "units": 2}', GOOD], repair=Nearest)
    assert f'{{"units": 2, "x": 1.0}} was run instead. score = -0.77. {SAID} 1, with score = -0.77.' in asked[2]


def test_a_failure_is_told_as_one():
    asked, _ = play([GOOD, GOOD, OTHER], benchmark=Line(fail_above=0.4))
    assert (
        f"The evaluation failed: RuntimeError: the training diverged. {SAID} 1, and the evaluation failed." in asked[2]
    )


def test_another_fidelity_is_another_evaluation():
    task = Toy("branin")
    (fidelity,) = task.problem.fidelities
    low = json.dumps({**task.problem.default, "fidelity": {fidelity.name: fidelity.lower}})
    high = json.dumps(task.problem.default)
    asked, rows = play([low, high, low, high], benchmark=task, prompt=Prompt(repeats="told", fidelity=True))
    assert [row["fidelity"] is None for row in rows] == [False, True, False, True]
    assert f"{SAID} 2" not in asked[2]
    assert f"{SAID} 1, with" in asked[3]


@pytest.mark.parametrize("method", [LLINBO, LLMTPE, Centaur])
def test_every_method_with_feedback_reports_repeats(method):
    settings = {"llm_warmup": 0, "llm_ratio": 1.0} if method is Centaur else {}
    settings |= {"llm_share": 1.0} if method is LLMTPE else {}
    asked, _ = play(lambda request: OTHER, method, trials=5, **settings)
    assert SAID in asked[-1]
    untold, _ = play(lambda request: OTHER, method, trials=5, prompt=Prompt(), **settings)
    assert SAID not in "".join(untold)


@pytest.mark.parametrize("method", [OPRO, HOLLM, LLAMBO, Recitation])
def test_a_method_that_shows_scores_only_refuses_repeats(method):
    with pytest.raises(SettingError, match=r"prompt\.repeats=told is for methods that tell the model"):
        play(lambda request: OTHER, method, trials=5)
    play(lambda request: f"[{OTHER}]", method, trials=2, prompt=Prompt())


def test_another_word_is_refused():
    with pytest.raises(SettingError, match=r"Unknown prompt.repeats 'tell'; did you mean 'told'"):
        Prompt(repeats="tell")


def test_the_choice_is_plain_but_for_that():
    plain, repeats = (OmegaConf.to_object(chosen("prompt", name)) for name in ("plain", "repeats"))
    assert repeats == plain | {"repeats": "told"}
    others = {path.stem for path in (CONF / "prompt").glob("*.yaml")} - {"repeats"}
    assert {chosen("prompt", name).repeats for name in others} == {"untold"}
