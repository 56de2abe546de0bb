"""What each language-model method shows to its model is valid if it is proposed, on every kind of space.

The model's own proposals are shown unchanged, and invalid ones are marked as invalid.
"""

from __future__ import annotations

import copy
import functools
import zlib

import pytest

from benchmarks.bayesmark.bayesmark import Bayesmark
from benchmarks.conditional.conditional import Conditional
from benchmarks.fcnet import FCNet
from benchmarks.hpobench.hpobench import HPOBench
from benchmarks.nasbench201 import NASBench201
from benchmarks.toy import Toy
from harness.build import build_budget, build_optimizer, build_repair
from harness.checks.stand_in import StandIn
from harness.choice_files import composed
from harness.choices import text_of
from harness.loop import run_loop
from harness.objects import find_objects
from harness.problem import Outcome
from harness.validity import Checker
from optimizers.chat.prompt import FIDELITY_KEY
from tests.contracts.test_optimizer_contract import FOLDERS, OPTIMIZERS, configuration
from tests.support.fakes import Line, Mixed

TRIALS = 14
"""Centaur's first ten trials are not the model's."""
FAMILIES = {
    "hpobench": lambda: HPOBench("credit_g"),
    "nearest": lambda: HPOBench("credit_g", space="nearest"),
    "fcnet": FCNet,
    "nasbench201": NASBench201,
    "conditional": Conditional,
    "bayesmark": Bayesmark,
    "peak": lambda: Toy(task="peak"),
    "line": Line,
    "mixed": Mixed,
}


class Untrained:
    """A benchmark's space and prompts, with values from a hash: nothing is trained or looked up."""

    def __init__(self, benchmark):
        self.problem = benchmark.problem

    def evaluate(self, params, fidelity, seed):
        value = zlib.crc32(text_of(params).encode()) / 2**32
        return Outcome({objective.name: value for objective in self.problem.objectives}, evaluation_seconds=1.0)

    def random_search_curve(self, evaluations):
        return None


@functools.cache
def family(name):
    return Untrained(FAMILIES[name]())


def shown(optimizer, name, repair):
    """All messages of a run, and its rows."""
    settings = configuration(optimizer, repair, "start=none")
    benchmark = family(name)
    settings = copy.deepcopy(settings) | {"seed": 0}
    settings["budget"]["proposals"] = TRIALS
    chat = settings["optimizer"]["chat"] = StandIn(benchmark.problem.space)
    made = build_optimizer(settings, benchmark.problem, build_budget(settings))
    rows = []
    run_loop(benchmark, made, build_repair(settings, benchmark.problem), build_budget(settings), 0, rows.append)
    assert chat.requests, "the model is asked"
    return {turn.content for request in chat.requests for turn in request.messages}, rows


@pytest.mark.parametrize("repair", ["none", "nearest"])
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if "chat" in composed("optimizer", name, FOLDERS)])
def test_what_a_prompt_shows_is_legal_when_it_is_proposed_again(optimizer, name, repair):
    texts, rows = shown(optimizer, name, repair)
    space = family(name).problem.space
    check = Checker(space).check
    own = {text_of(row["proposed"]) for row in rows if row["proposed"] is not None and row["violations"]}
    seen = 0
    for line in {line for text in texts for line in text.splitlines()}:
        for _, _, value in find_objects(line).objects:
            params = {key: item for key, item in value.items() if key != FIDELITY_KEY}
            if set(params).isdisjoint(space):
                continue  # a choice that is an object
            seen += 1
            if violations := check(params)[1]:
                assert text_of(value) in own, f"the harness's own words are {violations}: {line}"
                assert "invalid" in line
    assert seen or optimizer == "recitation"
