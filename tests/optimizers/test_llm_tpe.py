from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from harness.budget import Budget
from harness.chat import Completion
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Outcome
from harness.repair import NoRepair, RandomRepair
from harness.start import DefaultStart, begin_with
from harness.trial import Proposal, Trial, Usage
from llms.decoding import Decoding
from optimizers.llm_tpe import LLMTPE
from optimizers.tpe import TPE
from tests.support.chat_methods import built
from tests.support.fakes import Line, ScriptedChat

GOLDEN = Path(__file__).parent / "golden"
GOOD = '{"x": 0.9, "units": 2}'


def run(answer=GOOD, trials=12, seed=3, benchmark=None, repair=NoRepair, start=None, decoding=None, **settings):
    """The rows and the requests; ``answer`` is used for every reply, or is a list of replies."""
    chat = ScriptedChat((lambda request: answer) if isinstance(answer, str) else answer)
    benchmark = benchmark or Line()
    budget = Budget(proposals=trials)
    optimizer = built(LLMTPE, benchmark.problem, seed, budget, chat=chat, decoding=decoding, **settings)
    if start is not None:
        optimizer = begin_with(start, benchmark.problem, optimizer)
    rows = []
    run_loop(benchmark, optimizer, repair(benchmark.problem, 0), budget, 0, rows.append)
    return rows, chat.requests


def proposers(rows):
    return [row["note"].split(",")[0] for row in rows]


def text(request):
    return request.messages[-1].content


def coins(seed, share, count):
    generator = np.random.default_rng((seed, 1))
    return ["LLM" if generator.random() < share else "TPE" for _ in range(count)]


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_the_model_begins_and_then_one_coin_a_trial_decides(share):
    rows, requests = run(trials=40, llm_share=share)
    assert proposers(rows) == ["LLM", *coins(3, share, 39)]
    assert len(requests) == proposers(rows).count("LLM")
    for row in rows:
        by_model = row["note"] == "LLM"
        assert (row["proposed"] == {"x": 0.9, "units": 2}) == by_model
        assert (row["calls"] != []) == (row["usage"]["calls"] == 1) == by_model


def test_the_first_coins_of_seed_3():
    assert proposers(run(trials=9)[0]) == ["LLM", *["LLM"] * 4, "TPE", "TPE", "LLM", "TPE"]


def test_without_the_model_it_is_tpe():
    rows, requests = run(trials=20, llm_share=0.0, init_method="random")
    benchmark, expected = Line(), []
    budget = Budget(proposals=20)
    run_loop(benchmark, TPE(benchmark.problem, 3, budget), NoRepair(benchmark.problem, 0), budget, 0, expected.append)
    assert [row["proposed"] for row in rows] == [row["proposed"] for row in expected]
    assert requests == []


def test_shares_of_nothing_and_everything():
    assert proposers(run(trials=6, llm_share=0.0)[0]) == ["LLM", *["TPE"] * 5]
    assert proposers(run(trials=6, llm_share=1.0)[0]) == ["LLM"] * 6
    assert proposers(run(trials=6, llm_share=1.0, init_method="random")[0]) == ["TPE", *["LLM"] * 5]


def test_a_start_stands_in_for_the_first_configuration():
    rows, requests = run(trials=9, start=DefaultStart())
    assert [row["note"] for row in rows] == ["start: default", *coins(3, 0.5, 8)]
    assert '1. {"x": 0.5, "units": 4} score = -0.29.' in text(requests[0])


def test_tpe_learns_from_the_models_trials():
    """A TPE that is told every row proposes what the rows say; one that is told its own rows alone soon does not."""
    rows, _ = run(trials=40)
    told, untold = (TPE(Line().problem, 3, Budget(proposals=40)) for _ in range(2))
    own = []
    for row in rows:
        trial = Trial(row["index"], Proposal(None), params=row["executed"], outcome=Outcome(row["losses"]))
        if row["note"] == "TPE":
            assert told.ask().params == row["proposed"]
            own.append(untold.ask().params == row["proposed"])
            untold.tell(trial)
        told.tell(trial)
    random_ones = sum(row["note"] == "TPE" for row in rows[:10])
    assert own[:random_ones] == [True] * random_ones
    assert not any(own[random_ones:10])
    assert len(own) > 10


def test_the_model_sees_every_trial_whose_it_was_and_the_best():
    """Renew after a deliberate change: HYPERBOLE_RENEW=1 python -m pytest tests/optimizers/test_llm_tpe.py."""
    benchmark = Line(fail_above=0.95)
    replies = [GOOD, "I cannot.", '{"x": 0.25, "units": 1}', '{"x": 7, "units": 1}', '{"x": 0.97, "units": 1}', GOOD]
    rows, requests = run(replies, 6, benchmark=benchmark, llm_share=1.0)
    assert [row["violations"] != [] for row in rows] == [False, True, False, True, False, False]
    path = GOLDEN / "llm_tpe.txt"
    if os.environ.get("HYPERBOLE_RENEW"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(requests[-1]) + "\n")
    assert text(requests[-1]) + "\n" == path.read_text()


def test_tpes_trials_are_marked_and_only_they():
    rows, requests = run(trials=9)
    lines = [line for line in text(requests[-1]).splitlines() if line[0].isdigit()]
    assert [" (TPE) " in line for line in lines] == [row["note"] == "TPE" for row in rows[: len(lines)]]
    assert len(lines) == 7, "those before the last of the model's turns"


def test_a_prompt_starts_with_the_one_before_up_to_its_best():
    _, requests = run(trials=6, llm_share=1.0)
    before, after = text(requests[-2]), text(requests[-1])
    assert after.startswith(before[: before.index("The best so far")])
    assert "test_score" not in after
    assert "-0.01" not in after, "the optimum"


def test_an_invalid_reply_is_charged_and_tpe_learns_nothing_from_it():
    truncated = Completion('{"x": 0.', "length", Usage(1, 9, 0, 3, 0.5), 7)
    rows, _ = run(["no", truncated], 14, llm_share=0.0, start=None, init_method="llm")
    assert [violation["fault"] for violation in rows[0]["violations"]] == ["unparseable"]
    alone, _ = run(trials=13, llm_share=0.0, init_method="random")
    assert [row["proposed"] for row in rows[1:]] == [row["proposed"] for row in alone]


def test_it_takes_a_repaired_reply():
    rows, requests = run('{"x": 7, "units": 1}', 14, repair=RandomRepair)
    assert all(row["losses"] for row in rows)
    assert "was run instead" in text(requests[-1])


def test_sampling_is_seeded_and_warm_unless_decoding_says_otherwise():
    first, second = run(llm_share=1.0)[1], run(llm_share=1.0)[1]
    assert [request.seed for request in first] == [request.seed for request in second]
    assert {request.temperature for request in first} == {0.7}
    assert run(decoding=Decoding(temperature=0.0))[1][0].temperature == 0.0


def test_settings_that_do_not_exist_are_refused():
    with pytest.raises(SettingError, match="did you mean 'random'"):
        run(init_method="randon")
    with pytest.raises(SettingError, match="0 to 1"):
        run(llm_share=50)
