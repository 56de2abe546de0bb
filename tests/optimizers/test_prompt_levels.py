"""How much of model and data a prompt contains: nothing, the description, or one of the task's levels."""

from __future__ import annotations

import dataclasses

import pytest
from hydra.utils import instantiate

from harness.budget import Budget
from harness.errors import SettingError
from harness.problem import Description
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt
from optimizers.llambo.llambo import LLAMBO
from optimizers.llm_chat import LLMChat
from optimizers.opro import OPRO
from tests.support.chat_methods import built
from tests.support.chosen import chosen
from tests.support.command import hyperbole, sentence
from tests.support.fakes import Line, ScriptedChat

SHORT, STATISTICS = "A line is fitted. The data set flat has no hills.", "7 rows, 3 columns, 12 % missing."
PROBLEM = dataclasses.replace(
    Line().problem, description=Description(SHORT), contexts={"statistics": STATISTICS, "names": "x, y"}
)


def said(prompt, problem=PROBLEM, method=LLMChat, **settings):
    chat = ScriptedChat(lambda request: "{}")
    built(method, problem, 0, Budget(proposals=3), chat=chat, prompt=prompt, decoding=Decoding(), **settings).ask()
    return chat.requests[0].messages[0].content


@pytest.mark.parametrize(("method", "settings"), [(LLMChat, {}), (OPRO, {"initial": 0})])
def test_a_level_is_told_in_place_of_the_description_and_nothing_else_changes(method, settings):
    """The description names the data set, which the statistics do not."""
    plain = said(Prompt(), method=method, **settings)
    told = said(Prompt(context="statistics"), method=method, **settings)
    assert told.count(STATISTICS) == 1
    assert told.replace(STATISTICS, SHORT) == plain
    assert "x, y" not in told


def test_none_leaves_the_description_out():
    assert SHORT in said(Prompt(context="task")) == said(Prompt())
    assert SHORT not in said(Prompt(context="none"))


@pytest.mark.parametrize(("warm_start", "shown"), [("none", False), ("partial", False), ("full", True)])
def test_llambos_warm_start_tells_a_level_where_it_tells_of_the_data(warm_start, shown):
    told = said(Prompt(context="statistics"), method=LLAMBO, warm_start=warm_start)
    assert (STATISTICS in told) == shown
    assert "no hills" not in told
    assert STATISTICS not in said(Prompt(context="none"), method=LLAMBO, warm_start=warm_start)


def test_a_missing_level_error_names_the_existing_ones():
    with pytest.raises(
        SettingError, match=r"Unknown context of fake.line 'full'. Valid: names, none, statistics, task"
    ):
        said(Prompt(context="full"))


@pytest.mark.parametrize("level", ["statistics", "names", "full"])
def test_the_files_differ_from_plain_in_the_level_alone(level):
    plain, other = (instantiate(chosen("prompt", name)) for name in ("plain", f"context_{level}"))
    assert dataclasses.replace(plain, context=level) == other != plain


def test_a_missing_level_is_one_sentence_and_leaves_nothing_behind(tmp_path):
    overrides = ("benchmark=toy", "optimizer=llm_chat", "prompt=context_full")
    assert "Unknown context of toy.branin 'full'" in sentence(hyperbole(*overrides, cwd=tmp_path))
    assert list(tmp_path.rglob("*/*")) == []
