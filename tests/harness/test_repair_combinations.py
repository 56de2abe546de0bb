"""Every repair with every kind of budget, with and without feedback: the original proposal is kept."""

from __future__ import annotations

import json
import math
from itertools import product

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from harness.build import build_budget, build_repair
from harness.faults import describe
from harness.loop import run_loop
from harness.problem import Objective, Outcome, Problem
from harness.trial import Fault, Violation
from llms.decoding import Decoding
from optimizers.llm_chat import LLMChat
from tests.support.chat_methods import built
from tests.support.chosen import chosen
from tests.support.fakes import VALID, ScriptedChat, rich_space

SCRIPT = [
    json.dumps(VALID),
    json.dumps({**VALID, "cost": 1e9}),
    json.dumps({"kernel": "rbf"}),
    json.dumps({**VALID, "made_up": 1}),
    "I would rather not say.",
    json.dumps({**VALID, "kernel": "RBF_"}),
    json.dumps({**VALID, "degree": 3}),
    json.dumps({**VALID, "kernel": "linear", "batch": 64}),
]
"""The model's answers, repeated, independent of the prompt."""
FAULTS = [(), ("out_of_range",), ("missing",) * 4, ("unknown",), ("unparseable",), ("not_a_choice",), ("inactive",)]
FAULTS.append(("forbidden",))
EXECUTED = {"none": {0}, "clamp": {0, 1}, "nearest": {0, 1, 2, 3, 5, 6}, "random": set(range(8))}
PROPOSALS = {"none": 9, "clamp": 2, "nearest": 2, "random": 2}
"""Number of proposals needed for two evaluations."""
PROMPTS = {"plain": True, "no_feedback": False}
COMBINATIONS = list(product(EXECUTED, ("proposals", "evaluations"), PROMPTS))


class Cost:
    """Loss = |log10(cost)|; every configuration can be evaluated."""

    problem = Problem("fake.rich", rich_space(), (Objective("loss", "minimize"),), VALID)

    def evaluate(self, params, fidelity, seed):
        return Outcome({"loss": abs(math.log10(params["cost"]))})

    def random_search_curve(self, evaluations):
        return None


def group(name, choice, **changes):
    return {**OmegaConf.to_object(chosen(name, choice)), **changes}


def run(repair, kind, prompt):
    """The rows of one run, and the prompts that were sent."""
    size = {"proposals": 8} if kind == "proposals" else {"evaluations": 2}
    config = {"repair": group("repair", repair), "budget": group("budget", kind, **size), "seed": 1}
    problem, budget = Cost.problem, build_budget(config)
    told = instantiate(group("prompt", prompt))
    replies = (SCRIPT[i % len(SCRIPT)] for i in range(100))
    chat = ScriptedChat(replies)
    optimizer = built(LLMChat, problem, 0, budget, chat=chat, prompt=told, decoding=Decoding())
    rows = []
    run_loop(Cost(), optimizer, build_repair(config, problem), budget, 1, rows.append)
    return rows, [request.messages[-1].content for request in chat.requests]


@pytest.fixture(scope="module")
def runs():
    return {combination: run(*combination) for combination in COMBINATIONS}


def test_no_feedback_is_plain_but_for_the_feedback():
    assert group("prompt", "no_feedback") == group("prompt", "plain", feedback=False)


@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
def test_the_proposal_is_kept_as_it_was_made(runs, combination):
    rows, _ = runs[combination]
    for row, reply in zip(rows, SCRIPT + SCRIPT, strict=False):
        assert row["proposed"] == (json.loads(reply) if reply.startswith("{") else None)
        assert tuple(fault["fault"] for fault in row["violations"]) == FAULTS[row["index"] % 8]
    none, _ = runs["none", *combination[1:]]
    for row, unrepaired in zip(rows, none, strict=False):
        for column in ("index", "proposed", "violations", "duplicate_of", "near_duplicate_of", "fidelity"):
            assert row[column] == unrepaired[column]


@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
def test_what_is_executed_is_the_repairs_and_is_said_to_be(runs, combination):
    repair, kind, _ = combination
    rows, _ = runs[combination]
    assert len(rows) == (8 if kind == "proposals" else PROPOSALS[repair])
    for row in rows:
        assert (row["executed"] is not None) == (row["index"] % 8 in EXECUTED[repair])
        assert (row["losses"] is not None) == (row["executed"] is not None)
        mended = bool(row["violations"]) and row["executed"] is not None
        assert row["repair"] == (repair if mended else None)
        assert not mended or row["executed"] != row["proposed"]
        assert row["violations"] or row["executed"] == row["proposed"]


@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
def test_the_prompt_tells_the_violations_or_does_not(runs, combination):
    repair, kind, prompt = combination
    rows, prompts = runs[combination]
    told = prompts[-1]
    judged = rows[:-1]  # the last prompt precedes the last row
    for row in judged:
        sentences = [describe(Violation(Fault(v["fault"]), v["name"], v["value"])) for v in row["violations"]]
        assert all((sentence in told) == PROMPTS[prompt] for sentence in sentences)
    invalid = [row for row in judged if row["violations"]]
    assert told.count("Your proposal was invalid") == len(invalid)
    assert told.count("was run instead") == sum(row["repair"] is not None for row in invalid)
    assert (repair, kind) in {
        ("clamp", "evaluations"),
        ("nearest", "evaluations"),
        ("random", "evaluations"),
    } or invalid


def test_a_repair_is_the_same_whatever_the_model_is_told(runs):
    for repair, kind in product(EXECUTED, ("proposals", "evaluations")):
        executed = [[row["executed"] for row in runs[repair, kind, prompt][0]] for prompt in PROMPTS]
        assert executed[0] == executed[1]
