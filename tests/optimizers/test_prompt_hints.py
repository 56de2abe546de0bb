"""Advice in the prompt: given if requested, refused by name if the task has none."""

from __future__ import annotations

import dataclasses

import pytest
from hydra.utils import instantiate

from benchmarks.hpobench.hpobench import HPOBench
from benchmarks.toy import Toy
from harness.budget import Budget
from harness.errors import SettingError
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt
from optimizers.llm_chat import LLMChat
from tests.support.chat_methods import built
from tests.support.chosen import chosen
from tests.support.command import hyperbole, sentence
from tests.support.fakes import Line, ScriptedChat

TASKS = [HPOBench(task="kc1").problem, Toy(task="branin").problem]


def said(problem, prompt):
    chat = ScriptedChat(["{}"])
    built(LLMChat, problem, 0, Budget(proposals=3), chat=chat, prompt=prompt, decoding=Decoding()).ask()
    return chat.requests[0].messages[0].content


@pytest.mark.parametrize("problem", TASKS, ids=lambda problem: problem.name)
@pytest.mark.parametrize("hint", ["correct", "misleading"])
def test_the_prompt_holds_the_hint_and_is_otherwise_the_same(problem, hint):
    advice = f" An expert advises: {problem.hints[hint]}"
    told = said(problem, Prompt(hint=hint))
    assert told.count(advice) == 1
    assert told.replace(advice, "") == said(problem, Prompt())


def test_without_context_the_hint_is_given_all_the_same():
    problem = TASKS[0]
    told = said(problem, Prompt(context="none", hint="correct"))
    assert problem.hints["correct"] in told
    assert problem.description.text not in told


@pytest.mark.parametrize("hint", ["correct", "misleading"])
def test_the_files_differ_from_plain_in_the_hint_alone(hint):
    plain, hinted = (instantiate(chosen("prompt", name)) for name in ("plain", f"hint_{hint}"))
    assert dataclasses.replace(plain, hint=hint) == hinted != plain


def test_a_task_without_the_hint_says_so():
    with pytest.raises(SettingError, match=r"Unknown hint for fake.line 'correct'. Valid: none\."):
        said(Line().problem, Prompt(hint="correct"))


def test_a_misspelt_hint_is_one_sentence_and_leaves_nothing_behind(tmp_path):
    overrides = ("benchmark=toy", "optimizer=llm_chat", "prompt=hint_correct", "prompt.hint=corect")
    assert "did you mean 'correct'" in sentence(hyperbole(*overrides, cwd=tmp_path))
    assert list(tmp_path.rglob("*/*")) == []
