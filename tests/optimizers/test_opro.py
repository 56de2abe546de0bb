from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Objective, Outcome
from harness.repair import Clamp, NoRepair
from harness.start import DefaultStart, begin_with
from harness.trial import Proposal, Trial
from optimizers.opro import OPRO, solutions
from optimizers.shared.history import History
from tests.support.chat_methods import built
from tests.support.fakes import Line, ScriptedChat

GOLDEN = Path(__file__).parent / "golden"
GOOD = '{"x": 0.5, "units": 2}'


class Batches(ScriptedChat):
    """Records the size of each batch."""

    def __init__(self, replies):
        super().__init__(replies)
        self.sizes = []

    def complete(self, requests):
        self.sizes.append(len(requests))
        return super().complete(requests)


def run(replies, budget=None, start=None, benchmark=None, repair=NoRepair, decoding=None, **settings):
    chat = Batches(replies)
    benchmark = benchmark or Line()
    budget = budget or Budget(proposals=13)
    optimizer = built(OPRO, benchmark.problem, 3, budget, chat=chat, decoding=decoding, **settings)
    if start:
        optimizer = begin_with(start, benchmark.problem, optimizer)
    rows = []
    run_loop(benchmark, optimizer, repair(benchmark.problem, 0), budget, 0, rows.append)
    return rows, chat


def told(direction, losses):
    history = History(Objective("m", direction))
    for index, (x, loss) in enumerate(losses):
        outcome = None if loss is None else Outcome({"m": loss})
        error = "died" if loss is None else None
        history.add(Trial(index, Proposal({"x": x}), params={"x": x}, outcome=outcome, error=error))
    history.add(Trial(99, Proposal(None)))
    return history


def test_solutions_come_worst_first_each_once():
    losses = [(1, 5.0), (2, 3.0), (3, None), (4, 3.0), (2, 4.0), (5, 7.0), (1, 5.0)]
    found = solutions(told("minimize", losses), 20)
    # 2 was measured twice, the better counts; 2 and 4 tie, the earlier is the better; 3 failed.
    assert [(seen.params["x"], seen.value) for seen in found] == [(5, 7.0), (1, 5.0), (4, 3.0), (2, 3.0)]


def test_a_maximized_objective_ascends():
    found = solutions(told("maximize", [(1, -0.2), (2, -0.9), (3, -0.5)]), 20)
    assert [(seen.params["x"], seen.value) for seen in found] == [(1, 0.2), (3, 0.5), (2, 0.9)]


def test_only_the_best_twenty_are_shown():
    found = solutions(told("minimize", [(x, float(x)) for x in range(30)]), 20)
    assert [seen.params["x"] for seen in found] == list(range(19, -1, -1))
    assert [seen.params["x"] for seen in solutions(told("minimize", [(1, 2.0), (2, 2.0)]), 1)] == [1]


def test_a_step_is_one_batch_of_the_same_prompt_with_different_seeds():
    rows, chat = run([GOOD] * 8)
    assert chat.sizes == [8]
    assert len({request.messages for request in chat.requests}) == 1
    assert len({request.seed for request in chat.requests}) == 8
    assert {request.temperature for request in chat.requests} == {1.0}
    assert [row["note"] for row in rows[:5]] == ["start: random"] * 5
    assert [row["calls"] for row in rows[5:]] == [[i] for i in range(8)]
    assert [row["usage"]["calls"] for row in rows] == [0] * 5 + [8] + [0] * 7


def test_a_step_samples_no_more_than_the_budget_has_left():
    assert run([GOOD] * 4, Budget(proposals=9))[1].sizes == [4]
    assert run(lambda request: GOOD, Budget(proposals=16), samples=3)[1].sizes == [3, 3, 3, 2]


def test_invalid_samples_leave_evaluations_to_be_sampled_again():
    """Of 4 evaluations 2 are left after the start; the two samples are invalid, so two more are drawn."""
    replies = iter(["no", "no", GOOD, GOOD])
    rows, chat = run(lambda request: next(replies), Budget(evaluations=4), initial=2)
    assert chat.sizes == [2, 2]
    assert [row["executed"] is None for row in rows] == [False, False, True, True, False, False]


def test_invalid_samples_are_charged_and_not_shown():
    replies = ['{"x": 7, "units": 1}', "I cannot.", '{"x": 0.25, "units": 1}', GOOD]
    rows, chat = run(replies, Budget(proposals=7), initial=3, samples=3)
    assert [[violation["fault"] for violation in row["violations"]] for row in rows[3:]] == [
        ["out_of_range"],
        ["unparseable"],
        [],
        [],
    ]
    last = chat.requests[-1].messages[0].content
    assert '"x": 7' not in last
    assert "invalid" not in last
    assert last.splitlines()[-2] == '{"units": 1, "x": 0.25} score = -0.01', "the best stands last"


def test_it_learns_from_what_was_executed():
    _, chat = run(['{"x": 7, "units": 1}', GOOD], Budget(proposals=3), initial=1, samples=1, repair=Clamp)
    assert '"x": 1.0' in chat.requests[-1].messages[0].content


def test_trials_of_a_start_count_among_the_initial_ones():
    rows, chat = run([GOOD] * 2, Budget(proposals=5), start=DefaultStart(), initial=3)
    assert [row["note"] for row in rows] == ["start: default", "start: random", "start: random", None, None]
    assert '{"units": 4, "x": 0.5} score = -0.29' in chat.requests[0].messages[0].content


def test_with_nothing_evaluated_it_asks_all_the_same():
    _, chat = run([GOOD], Budget(proposals=1), initial=0)
    assert chat.requests[0].messages[0].content.endswith("Give me a configuration with a higher score than any other.")


def test_the_prompt_reads_as_agreed():
    """Renew after a deliberate change: HYPERBOLE_RENEW=1 python -m pytest tests/optimizers/test_opro.py."""
    _, chat = run([GOOD, "no", '{"x": 0.3, "units": 8}', GOOD], Budget(proposals=7), initial=3, samples=1)
    text = chat.requests[-1].messages[0].content + "\n"
    path = GOLDEN / "opro.txt"
    if os.environ.get("HYPERBOLE_RENEW"):
        path.write_text(text)
    assert text == path.read_text()


def test_a_number_too_small_is_refused():
    with pytest.raises(SettingError, match=r"optimizer.samples is 0; give a whole number from 1"):
        run([], samples=0)
