"""Who decided on each proposal, method by method."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.start import DefaultStart, begin_with
from llms.decoding import Decoding
from optimizers.centaur import Centaur
from optimizers.chat.prompt import Prompt
from optimizers.cma_es import CMAES
from optimizers.llambo.llambo import LLAMBO
from optimizers.llinbo.llinbo import LLINBO
from optimizers.llm_chat import LLMChat
from optimizers.llm_tpe import LLMTPE
from optimizers.multifidelity.hyperband import Hyperband
from optimizers.multifidelity.smac_multifidelity import SMACMultifidelity
from optimizers.nsga2 import NSGA2
from optimizers.opro import OPRO
from optimizers.smac import SMAC
from optimizers.tpe import TPE
from tests.support.chat_methods import built
from tests.support.fakes import Line, ScriptedChat

ANSWER = '{"x": 0.25, "units": 2}'
WORST = '{"x": 1.0, "units": 8}'


def play(method, trials, *, benchmark=None, answer=ANSWER, start=False, **settings):
    """The proposers of a run's rows, in order, and the rows."""
    benchmark, budget, rows = benchmark or Line(), Budget(proposals=trials), []
    if method in (Centaur, LLAMBO, LLINBO, LLMChat, LLMTPE, OPRO):
        reply = answer if callable(answer) else lambda request: answer
        settings = {"prompt": Prompt(), "decoding": Decoding(), "chat": ScriptedChat(reply)} | settings
    optimizer = built(method, benchmark.problem, 3, budget, **settings)
    if start:
        optimizer = begin_with(DefaultStart(), benchmark.problem, optimizer)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    return [row["proposer"] for row in rows], rows


def test_centaurs_model_has_no_part_in_twelve_proposals():
    assert Counter(play(Centaur, 12)[0]) == {"classical": 12}
    assert Counter(play(Centaur, 14)[0]) == {"classical": 13, "model": 1}


def test_llinbos_model_has_its_warm_start_alone_where_the_process_rejects_the_rest():
    proposers, rows = play(LLINBO, 12, answer=WORST)
    assert proposers == ["model"] * 2 + ["classical"] * 10
    assert {row["usage"]["calls"] for row in rows[2:]} == {1}, "asked each time, all the same"
    assert play(LLINBO, 6, variant="transient")[0][-1] == "classical", "the coin says the process in the last round"


def test_llm_tpe_has_three_proposers():
    proposers, rows = play(LLMTPE, 30)
    assert set(proposers) == {"model", "random", "classical"}
    for row in rows:
        assert (row["proposer"] == "model") == row["note"].startswith("LLM")
        assert row["proposer"] != "random" or row["index"] < 10


@pytest.mark.parametrize("start", [True, False])
def test_the_start_has_its_own_proposer(start):
    assert play(LLMChat, 3, start=start)[0] == ["start" if start else "model", "model", "model"]
    assert play(OPRO, 7, start=start)[0] == ["start" if start else "random"] + ["random"] * 4 + ["model"] * 2


def test_an_answer_that_cannot_be_read_is_the_models_all_the_same():
    proposers, rows = play(LLMChat, 2, answer="I would rather not say.")
    assert proposers == ["model"] * 2
    assert rows[0]["proposed"] is None


def test_llambos_random_candidates_are_the_models_once_its_predictions_chose_among_them():
    random = {"warm_start": "random", "sampler": "random", "initial": 2}
    assert play(LLAMBO, 4, surrogate="none", **random)[0] == ["random"] * 4
    assert play(LLAMBO, 4, answer="## 0.5 ##", **random)[0] == ["random"] * 2 + ["model"] * 2
    listed = json.dumps([json.loads(ANSWER)] * 2)
    assert play(LLAMBO, 4, answer=listed, initial=2)[0] == ["model"] * 4


def test_random_draws_come_before_what_was_learned():
    assert play(TPE, 14)[0] == ["random"] * 10 + ["classical"] * 4
    assert play(TPE, 14, startup_trials=3, start=True)[0] == ["start"] + ["random"] * 2 + ["classical"] * 11
    assert play(NSGA2, 12, population=5)[0] == ["random"] * 5 + ["classical"] * 7
    assert play(CMAES, 12)[0] == ["classical"] * 12


def test_tpe_counts_failures_and_not_what_was_never_executed():
    assert play(TPE, 14, benchmark=Line(fail_above=-1.0))[0] == ["random"] * 10 + ["classical"] * 4


def test_smacs_design_and_interleaved_draws_are_random():
    proposers, _ = play(SMAC, 24)
    assert proposers[:6] == ["random"] * 6, "a quarter of the planned trials"
    assert Counter(proposers[6:])["classical"] >= 9, "a fifth of the rest is random"
    assert "random" in proposers[6:]


@pytest.mark.parametrize("method", [Hyperband, SMACMultifidelity])
def test_a_configuration_that_is_promoted_was_chosen(method):
    seen = set()
    proposers, rows = play(method, 30, benchmark=Toy(task="branin"))
    for row in rows:
        known = json.dumps(row["proposed"]) in seen
        seen.add(json.dumps(row["proposed"]))
        if known:
            assert row["proposer"] == "classical"
        elif method is Hyperband:
            assert row["proposer"] == "random"
    assert set(proposers) == {"random", "classical"}
