from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import ConfigurationSpace, Float
from sklearn.gaussian_process.kernels import Matern

from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Objective, Outcome, Problem
from harness.repair import NoRepair
from harness.start import DefaultStart, begin_with
from harness.trial import Proposal, Trial
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt
from optimizers.llinbo import llinbo
from optimizers.llinbo.gaussian_process import GaussianProcess
from optimizers.llinbo.inner_search import Found
from optimizers.llinbo.llinbo import LLINBO, OWN, REJECTED, UNCONSTRAINED
from tests.support.chat_methods import built
from tests.support.fakes import Line, ScriptedChat

GOLDEN = Path(__file__).parent / "golden"
BETA = 2 * math.log(math.pi**2 / 0.6)  # in the first round, in one dimension


class Batches(ScriptedChat):
    """Records the size of each batch."""

    def __init__(self, replies):
        super().__init__(replies)
        self.sizes = []

    def complete(self, requests):
        self.sizes.append(len(requests))
        return super().complete(requests)


class Slope:
    """Loss = x on [0, 1]."""

    def __init__(self):
        space = ConfigurationSpace(name="slope")
        space.add(Float("x", (0.0, 1.0), default=0.5))
        self.problem = Problem("fake.slope", space, (Objective("loss", "minimize"),), {"x": 0.5})

    def evaluate(self, params, fidelity, seed):
        return Outcome({"loss": params["x"]})


def run(replies, trials=6, benchmark=None, start=None, budget=None, prompt=None, **settings):
    chat = Batches(replies)
    benchmark = benchmark or Line()
    budget = budget or Budget(proposals=trials)
    optimizer = built(LLINBO, benchmark.problem, 3, budget, chat=chat, prompt=prompt, **settings)
    if start:
        optimizer = begin_with(start, benchmark.problem, optimizer)
    rows = []
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, rows.append)
    return rows, chat


def at(*xs):
    return [json.dumps({"x": x}) for x in xs]


def deviation(x, noise=0.25):
    """Deviation of f at x after one observation at 0: sqrt(1 - k(x)^2 / (1 + noise)), k Matern 5/2 of length 1."""
    k = (1 + math.sqrt(5) * x + 5 / 3 * x * x) * math.exp(-math.sqrt(5) * x)
    return math.sqrt(1 - k * k / (1 + noise))


@pytest.fixture
def one_observation(monkeypatch):
    """For any observations, the GP is the one of the value 0 at the point 0; its UCB is largest at 1."""
    process = GaussianProcess(np.zeros((1, 1)), np.zeros(1), Matern(1.0, nu=2.5), 0.25)
    monkeypatch.setattr(llinbo, "fitted", lambda points, values: process)


def test_the_warm_start_is_one_batch_of_a_request_a_dimension():
    rows, chat = run(lambda request: '{"x": 0.5, "units": 2}', trials=4)
    assert chat.sizes == [2, 1, 1]
    assert [row["note"] for row in rows[:2]] == ["warm start"] * 2
    assert [row["usage"]["calls"] for row in rows] == [2, 0, 1, 1]
    assert [row["calls"] for row in rows] == [[0], [1], [2], [3]]
    assert len({request.seed for request in chat.requests}) == 4
    assert {request.temperature for request in chat.requests} == {1.0}


def test_trials_of_a_start_are_points_of_the_warm_start():
    rows, chat = run(lambda request: '{"x": 0.5, "units": 2}', trials=4, start=DefaultStart())
    assert [row["note"] for row in rows[:2]] == ["start: default", "warm start"]
    assert chat.sizes == [1, 1, 1]
    assert "score = -0.29" in chat.requests[0].messages[0].content


def test_the_warm_start_keeps_to_the_budget():
    assert run(lambda request: "no", trials=1)[1].sizes == [1]


# UCB(x) > UCB(1) - s(x) in the first round, so (BETA + 1) s(x) > BETA s(1): s(x) > 0.7495.
@pytest.mark.parametrize("x", [0.0, 0.3, 0.55, 0.6, 0.65, 0.7, 0.8, 1.0])
def test_justify_takes_the_models_point_if_its_bound_is_near_the_gps(one_observation, x):
    rows, _ = run(at(0.0, x), trials=2, benchmark=Slope())
    row = rows[1]
    model, own = row["candidates"]
    assert model["score"] == pytest.approx(BETA * deviation(x))
    assert own["score"] == pytest.approx(BETA * deviation(1.0), rel=1e-4)
    if (BETA + 1) * deviation(x) > BETA * deviation(1.0):
        assert (row["proposed"], row["note"]) == ({"x": x}, None)
    else:
        assert row["note"] == REJECTED
        assert row["proposed"] == own["proposed"]
        assert row["proposed"]["x"] == pytest.approx(1.0, abs=0.01)
    assert (row["calls"], row["usage"]["calls"]) == ([1], 1)


def test_both_sides_of_the_threshold_are_tried_above():
    assert (BETA + 1) * deviation(0.6) < BETA * deviation(1.0) < (BETA + 1) * deviation(0.65)


def test_the_threshold_shrinks_with_the_rounds_from_the_first_suggestion(one_observation):
    """sigma_0 is that of 1.0; in round t, s(x) beta_t > beta_t s(1) - s(1) / t decides."""
    xs = [1.0, 0.9, 0.9, 0.9, 0.9]
    rows, _ = run(at(0.0, *xs), trials=6, benchmark=Slope())
    accepted = []
    for t, x in enumerate(xs, 1):
        beta = 2 * math.log(t * math.pi**2 / 0.6)
        accepted.append(beta * deviation(x) > beta * deviation(1.0) - deviation(1.0) / t)
    assert [row["note"] != REJECTED for row in rows[1:]] == accepted
    assert accepted == [True, True, True, False, False]


@pytest.mark.parametrize("variant", ["justify", "constrained"])
def test_an_invalid_suggestion_is_charged_as_it_is(variant):
    replies = ['{"x": 0.1, "units": 2}', '{"x": 0.9, "units": 3}', '{"x": 7, "units": 1}', "no"]
    rows, chat = run(replies, trials=4, variant=variant)
    assert [row["violations"][0]["fault"] for row in rows[2:]] == ["out_of_range", "unparseable"]
    assert [(row["calls"], row["candidates"], row["executed"]) for row in rows[2:]] == [
        ([2], None, None),
        ([3], None, None),
    ]
    assert "x = 7 is out of range" in chat.requests[-1].messages[0].content


def test_a_warm_start_without_a_valid_point_does_no_harm():
    for variant in ("justify", "transient", "constrained"):
        replies = iter(["no", "no", *['{"x": 0.5, "units": 2}'] * 9])
        rows, _ = run(lambda request, replies=replies: next(replies), trials=5, variant=variant)
        assert [row["executed"] is None for row in rows] == [True, True, False, False, False]


def test_transient_asks_the_model_ever_less(monkeypatch):
    """T = 100 rounds follow the warm start: the GP's turn has the probability t^2 / 100, 1 from round 10 on."""
    asked = []
    for seed in range(300):
        optimizer = built(
            LLINBO,
            Slope().problem,
            seed,
            Budget(proposals=101),
            chat=Batches(lambda request: "no"),
            prompt=Prompt(),
            decoding=Decoding(),
            variant="transient",
        )
        monkeypatch.setattr(optimizer, "_best", lambda process: Found({"x": 0.5}, np.zeros(1), 0.0))
        optimizer.ask()
        optimizer.tell(Trial(0, Proposal(None)))
        asked.append([optimizer.ask().note != OWN for _ in range(12)])
    share = np.mean(asked, axis=0)
    assert share[:9] == pytest.approx([1 - t * t / 100 for t in range(1, 10)], abs=0.08)
    assert list(share[9:]) == [0.0, 0.0, 0.0]


def test_transient_points_of_the_gp_cost_no_call():
    """With 4 rounds the GP's turn has the probability 1/4, then 1: the model is asked in the first at most."""
    rows, chat = run(lambda request: '{"x": 0.5, "units": 2}', trials=6, variant="transient")
    assert sum(chat.sizes) in (2, 3)
    assert [row["note"] for row in rows[3:]] == [OWN] * 3
    assert [(row["calls"], row["usage"]["calls"]) for row in rows[3:]] == [([], 0)] * 3


def test_constrained_takes_the_gps_point_where_no_draw_beats_the_best_mean(monkeypatch):
    process = GaussianProcess(np.array([[0.0], [1.0]]), np.array([5.0, -5.0]), Matern(1.0, nu=2.5), 1e-6)
    monkeypatch.setattr(llinbo, "fitted", lambda points, values: process)
    rows, _ = run(at(0.0, 1.0), trials=2, benchmark=Slope(), variant="constrained")
    assert rows[1]["note"] == UNCONSTRAINED, "at 1 the GP is certain of the worst value"
    assert rows[1]["proposed"] == rows[1]["candidates"][1]["proposed"]
    assert rows[1]["proposed"]["x"] < 0.5


def test_constrained_maximizes_the_bound_of_the_bent_gp(one_observation):
    """Every mean is 0, so about half of the 10^4 draws are kept, and they are half-normal with deviation s(0.7)."""
    rows, _ = run(at(0.0, 0.7), trials=2, benchmark=Slope(), variant="constrained")
    row = rows[1]
    kept = int(row["note"].split(": ")[1].split(" of ")[0])
    assert row["note"].endswith("of 10000 imagined values kept")
    assert abs(kept - 5000) < 200
    xs = np.linspace(0, 1, 2001)[:, None]
    process = llinbo.fitted(None, None)
    s = deviation(0.7)
    mean, _, refitted = process.imagined(xs, np.array([0.7]), np.array([s * math.sqrt(2 / math.pi)]))
    gain = mean / (s * math.sqrt(2 / math.pi))
    bound = mean + BETA * np.sqrt(refitted**2 + gain**2 * s**2 * (1 - 2 / math.pi))
    assert row["proposed"]["x"] == pytest.approx(float(xs[bound.argmax(), 0]), abs=0.02)
    assert (row["calls"], len(row["candidates"])) == ([1], 1)


def test_after_a_hundred_rounds_constrained_is_the_gps_alone(one_observation):
    replies = iter(at(0.5))
    optimizer = built(
        LLINBO,
        Slope().problem,
        0,
        Budget(proposals=200),
        chat=Batches(replies),
        prompt=Prompt(),
        decoding=Decoding(),
        variant="constrained",
    )
    optimizer._queue, optimizer._round = [], 100
    proposal = optimizer.ask()
    assert (proposal.note, proposal.calls) == (OWN, ())


def test_the_gp_learns_from_failures_and_finds_the_good_end():
    """The model insists on the worst configuration; the GP does not."""
    rows, _ = run(lambda request: '{"x": 1.0, "units": 8}', trials=14, benchmark=Line(fail_above=0.9))
    assert rows[0]["error"]
    losses = [row["losses"]["score"] for row in rows if row["losses"]]
    assert min(losses) < 0.1


def test_the_prompt_reads_as_agreed():
    """Renew after a deliberate change: HYPERBOLE_RENEW=1 python -m pytest tests/optimizers/test_llinbo.py."""
    replies = ['{"x": 0.5, "units": 2}', "I cannot.", '{"x": 7}', '{"x": 0.3, "units": 2}']
    _, chat = run(replies, trials=4)
    first, last = (chat.requests[i].messages[0].content for i in (0, -1))
    text = f"{first}\n\n----\n\n{last}\n"
    path = GOLDEN / "llinbo.txt"
    if os.environ.get("HYPERBOLE_RENEW"):
        path.write_text(text)
    assert text == path.read_text()


def test_an_unknown_variant_is_refused():
    with pytest.raises(SettingError, match="did you mean 'justify'"):
        run([], variant="justfy")


SCRIPT = """
from tests.optimizers.test_llinbo import run
for variant in ("justify", "constrained"):
    rows, _ = run(lambda request: '{"x": 0.1, "units": 7}', trials=4, variant=variant)
    print([row["proposed"] for row in rows])
"""


def test_the_same_seed_proposes_the_same_in_another_process():
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("1", "2")
    ]
    first, second = (process.communicate()[0] for process in processes)
    assert first == second
    assert first.count("units") == 8
