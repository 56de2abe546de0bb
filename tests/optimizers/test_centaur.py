from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace, Integer

from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Objective, Outcome, Problem
from harness.repair import NoRepair, RandomRepair
from harness.start import DefaultStart, begin_with
from harness.trial import Proposal, Trial
from llms.decoding import Decoding
from optimizers.centaur import Centaur, is_models_turn
from optimizers.chat.prompt import Prompt
from optimizers.cma_es import CMAES
from optimizers.shared.unit_cube import UnitCube
from tests.support.chat_methods import built
from tests.support.fakes import Line, ScriptedChat

GOLDEN = Path(__file__).parent / "golden"
OVERRIDE = {"x": 0.25, "units": 2}
SHARE = [13, 16, 19, 23, 26, 29, 33, 36, 39]
INTERVAL = [12, 15, 18, 21, 24, 27, 30, 33, 36, 39]


class Steps:
    """Integers only, so that a prompt reads the same on every machine; fails above 40 units."""

    def __init__(self):
        space = ConfigurationSpace(name="steps", seed=0)
        space.add([Integer("units", (1, 64), log=True, default=8), Integer("layers", (1, 8), default=4)])
        self.problem = Problem("fake.steps", space, (Objective("score", "maximize"),), {"units": 8, "layers": 4})

    def evaluate(self, params, fidelity, seed):
        if params["units"] > 40:
            raise RuntimeError("out of memory")
        return Outcome({"score": abs(params["units"] - 20) / 10 + params["layers"]})


def run(answer='{"x": 0.25, "units": 2}', trials=40, benchmark=None, repair=NoRepair, start=None, **settings):
    """The rows, the requests and the optimizer; ``answer`` is used for every reply, or is a list of replies."""
    chat = ScriptedChat((lambda request: answer) if isinstance(answer, str) else answer)
    benchmark = benchmark or Line()
    budget = Budget(proposals=trials)
    settings = {"decoding": Decoding(), "prompt": Prompt()} | settings
    optimizer = built(Centaur, benchmark.problem, 5, budget, chat=chat, **settings)
    started = optimizer if start is None else begin_with(start, benchmark.problem, optimizer)
    rows = []
    run_loop(benchmark, started, repair(benchmark.problem, 0), budget, 0, rows.append)
    return rows, chat.requests, optimizer


def the_models(rows):
    return [row["index"] for row in rows if row["note"].startswith("LLM")]


def text(request):
    return request.messages[-1].content


def suggestion(request):
    return re.search(r"- would try next: (.*)", text(request))[1]


@pytest.mark.parametrize(("schedule", "turns"), [("share", SHARE), ("interval", INTERVAL)])
def test_which_of_forty_trials_are_the_models(schedule, turns):
    rows, requests, _ = run(schedule=schedule)
    assert the_models(rows) == turns
    assert len(requests) == len(turns)
    assert [row["index"] for row in rows if row["proposed"] == OVERRIDE] == turns
    assert {row["note"] for row in rows} == {"CMA-ES", "LLM"}


@pytest.mark.parametrize(
    ("ratio", "warmup", "schedule", "turns"),
    [
        (0.0, 0, "share", []),
        (0.0, 0, "interval", []),
        (1.0, 2, "share", [2, 3, 4, 5, 6, 7, 8, 9]),
        (1.0, 2, "interval", [2, 3, 4, 5, 6, 7, 8, 9]),
        (0.5, 3, "share", [4, 6, 8]),
        (0.5, 3, "interval", [4, 6, 8]),
        (0.4, 0, "share", [2, 4, 7, 9]),
        (0.4, 0, "interval", [0, 2, 4, 6, 8]),
    ],
)
def test_other_ratios(ratio, warmup, schedule, turns):
    assert [t for t in range(10) if is_models_turn(t, ratio, warmup, schedule)] == turns


@pytest.mark.parametrize("ratio", [0.07, 0.29, 0.3, 0.57])
def test_a_share_is_exact_where_floating_point_is_not(ratio):
    assert sum(is_models_turn(t, ratio, 10, "share") for t in range(10, 110)) == round(100 * ratio)


def test_without_the_model_it_is_cma_es():
    benchmark, expected = Line(), []
    budget = Budget(proposals=40)
    run_loop(benchmark, CMAES(benchmark.problem, 5, budget), NoRepair(benchmark.problem, 0), budget, 0, expected.append)
    alone = [row["proposed"] for row in run(llm_ratio=0.0)[0]]
    assert alone == [row["proposed"] for row in expected]
    overridden = [row["proposed"] for row in run()[0]]
    assert overridden[:13] == alone[:13]
    assert overridden[14:18] != alone[14:18], "CMA-ES learned from the first override"


def test_the_prompt_reads_as_agreed():
    """Renew after a deliberate change: HYPERBOLE_RENEW=1 python -m pytest tests/optimizers/test_centaur.py."""
    replies = ['{"units": 20, "layers": 2}', "I cannot.", '{"units": 64, "layers": 1}', '{"units": 99}'] + [
        '{"units": 21, "layers": 2}'
    ] * 3
    rows, requests, _ = run(replies, 34, Steps())
    assert the_models(rows)[-1] == 33
    path = GOLDEN / "centaur.txt"
    if os.environ.get("HYPERBOLE_RENEW"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(requests[-1]) + "\n")
    assert text(requests[-1]) + "\n" == path.read_text()


def test_the_prompt_holds_the_state_of_cma_es_the_best_and_the_latest():
    """Read from the last prompt and compared with a CMA-ES that was told the same rows."""
    benchmark = Line()
    rows, requests, _ = run(trials=40)
    cma = CMAES(benchmark.problem, 5, Budget(proposals=40))
    for row in rows[:39]:
        cma.ask()
        cma.tell(Trial(row["index"], Proposal(row["proposed"]), params=row["executed"], outcome=Outcome(row["losses"])))
    pending, state, shown = cma.ask(), cma.distribution, text(requests[-1])
    assert f"- mean: {state.configuration}".replace("'", '"') in shown
    assert f"- step size: {state.sigma:.4f}\n" in shown
    for name, row in zip(state.names, state.covariance, strict=True):
        assert f'  "{name}": {row[0]:.4f} {row[1]:.4f}\n' in shown
    assert f"- would try next: {pending.params}".replace("'", '"') in shown
    best = sorted(rows[:39], key=lambda row: row["losses"]["score"])[:5]
    ranked = re.findall(r"^\d+\. .* score = (\S+)\.$", shown[shown.index("The best trials:") :], re.MULTILINE)
    assert ranked == [f"{-row['losses']['score']:.5g}" for row in best]
    latest = shown[shown.index("The latest trials:") : shown.index("The best trials:")]
    assert re.findall(r"^(\d+)\. ", latest, re.MULTILINE) == [str(number) for number in range(20, 40)]


def test_cma_es_is_told_the_override_and_its_loss():
    rows, _, optimizer = run(trials=14)
    point, loss = optimizer._cma._population[-1]
    np.testing.assert_array_equal(point, UnitCube(Line().problem.space).point(OVERRIDE))
    assert rows[13]["proposed"] == OVERRIDE
    assert loss == rows[13]["losses"]["score"] == pytest.approx(0.02)


@pytest.mark.parametrize("reply", ["I cannot.", '{"x": 7, "units": 2}', '{"x": 0.25}'])
def test_an_invalid_override_is_charged_and_the_suggestion_stays(reply):
    rows, requests, optimizer = run(reply, 15)
    assert rows[13]["violations"] != []
    assert rows[13]["executed"] is None
    assert f"{rows[14]['proposed']}".replace("'", '"') == suggestion(requests[0])
    assert len(optimizer._cma._population) == 14 % 6, "one of fifteen trials was not told"


def test_with_a_repair_cma_es_is_told_what_was_executed():
    rows, _, optimizer = run('{"x": 7, "units": 2}', 14, repair=RandomRepair)
    assert rows[13]["repair"] == "random"
    point, loss = optimizer._cma._population[-1]
    np.testing.assert_array_equal(point, UnitCube(Line().problem.space).point(rows[13]["executed"]))
    assert loss == rows[13]["losses"]["score"]


def test_a_failed_override_takes_the_pending_place_too():
    rows, _, optimizer = run('{"x": 0.9, "units": 2}', 14, Line(fail_above=0.85))
    assert rows[13]["error"] is not None
    assert optimizer._cma._population[-1][1] is None


def test_a_start_counts_as_a_trial_of_the_warm_up_and_moves_the_first_mean():
    rows, requests, optimizer = run(trials=14, start=DefaultStart())
    assert [row["note"] for row in rows] == ["start: default", *["CMA-ES"] * 12, "LLM"]
    assert '1. {"x": 0.5, "units": 4} score = -0.29.' in text(requests[0])
    assert len(optimizer._cma._population) == 13 - 2 * 6, "the start is in no population"


def test_sampling_is_seeded_and_warm_unless_decoding_says_otherwise():
    first, second = run()[1], run()[1]
    assert [request.seed for request in first] == [request.seed for request in second]
    assert {request.temperature for request in first} == {0.7}
    assert run(decoding=Decoding(temperature=0.0))[1][0].temperature == 0.0


def test_settings_that_do_not_exist_are_refused():
    with pytest.raises(SettingError, match="did you mean 'interval'"):
        run(schedule="intervall")
    with pytest.raises(SettingError, match="0 to 1"):
        run(llm_ratio=30)
