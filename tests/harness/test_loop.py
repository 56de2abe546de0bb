from __future__ import annotations

import dataclasses
import math

import pytest

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.errors import RunError, SettingError
from harness.loop import run_loop
from harness.problem import Outcome, below_highest
from harness.repair import Clamp, Nearest, NoRepair, RandomRepair
from harness.trial import Candidate, Fault, Proposal, Usage, Violation
from tests.support.fakes import Line, Scripted


def run(proposals, budget=None, repair=NoRepair, benchmark=None, logged=()):
    proposals = list(proposals)
    benchmark = benchmark or Line()
    optimizer = Scripted(proposals)
    rows = []
    budget = budget or Budget(proposals=len(proposals))
    run_loop(benchmark, optimizer, repair(benchmark.problem, 0), budget, 0, rows.append, logged)
    return rows, optimizer, benchmark


GOOD = {"x": 0.5, "units": 2}
BAD = {"x": 1.5, "units": 2}


def test_a_valid_proposal_is_executed_recorded_and_told():
    rows, optimizer, benchmark = run([GOOD])
    assert rows[0]["proposed"] == rows[0]["executed"] == GOOD
    assert rows[0]["losses"] == {"score": pytest.approx(0.27)}
    assert rows[0]["metrics"]["test_score"] == pytest.approx(-1.27)
    assert optimizer.told[0].outcome.losses == rows[0]["losses"]
    assert benchmark.evaluated == [GOOD]


def test_an_invalid_proposal_is_charged_and_not_executed():
    rows, optimizer, benchmark = run([BAD, None, Proposal(None, truncated=True)])
    assert benchmark.evaluated == []
    assert [row["violations"][0]["fault"] for row in rows] == ["out_of_range", "unparseable", "truncated"]
    assert rows[0]["violations"] == [{"fault": "out_of_range", "name": "x", "value": 1.5}]
    assert all(row["executed"] is None and row["losses"] is None and row["repair"] is None for row in rows)
    assert optimizer.told[0].violations[0].fault is Fault.OUT_OF_RANGE


def test_the_row_is_written_before_the_optimizer_is_told():
    order = []
    optimizer = Scripted([GOOD])
    optimizer.tell = lambda trial: order.append("tell")
    benchmark = Line()
    run_loop(
        benchmark,
        optimizer,
        NoRepair(benchmark.problem, 0),
        Budget(proposals=1),
        0,
        lambda row: order.append("record"),
    )
    assert order == ["record", "tell"]


@pytest.mark.parametrize(
    ("repair", "executed"),
    [(Clamp, {"x": 1.0, "units": 2}), (Nearest, {"x": 1.0, "units": 2})],
)
def test_a_repaired_row_keeps_what_was_proposed(repair, executed):
    rows, _, _ = run([BAD], repair=repair)
    assert rows[0]["proposed"] == BAD
    assert rows[0]["executed"] == executed
    assert rows[0]["repair"] == repair.name
    assert rows[0]["violations"]


def test_random_repair_also_replaces_an_unparseable_reply():
    rows, _, _ = run([None], repair=RandomRepair)
    assert rows[0]["repair"] == "random"
    assert rows[0]["proposed"] is None
    assert rows[0]["losses"] is not None


def test_clamp_leaves_other_faults_alone():
    rows, _, _ = run([{"x": 1.5}, {"x": math.nan, "units": 1}], repair=Clamp)
    assert [row["executed"] for row in rows] == [None, None]


def test_duplicates_point_at_the_first_whatever_the_order_of_keys_and_kind_of_number():
    rows, _, _ = run([{"x": 1, "units": 2}, GOOD, {"units": 2, "x": 1.0}, BAD, BAD, None, None])
    assert [row["duplicate_of"] for row in rows] == [None, None, 0, None, 3, None, None]


def test_failures_and_nan_are_failed_trials_with_their_reason():
    rows, optimizer, _ = run(
        [GOOD, {"x": 0.9, "units": 1}, {"x": 0.7, "units": 1}, GOOD], benchmark=Line(fail_above=0.8, nan_above=0.6)
    )
    assert [row["error"] is None for row in rows] == [True, False, False, True]
    assert "the training diverged" in rows[1]["error"]
    assert "nan" in rows[2]["error"]
    assert rows[1]["losses"] is None
    assert rows[1]["executed"] == {"x": 0.9, "units": 1}
    assert optimizer.told[1].outcome is None


@pytest.mark.parametrize(
    ("budget", "trials"),
    [
        (Budget(proposals=3), 3),
        (Budget(evaluations=2), 3),
        (Budget(tokens=25), 3),
        (Budget(seconds=3.9), 3),
        (Budget(proposals=2, evaluations=9, tokens=1000), 2),
    ],
)
def test_the_first_limit_reached_ends_the_run(budget, trials):
    proposals = [Proposal(params, usage=Usage(1, 6, 0, 4, 0.1)) for params in (GOOD, BAD, GOOD, GOOD, GOOD)]
    assert len(run(proposals, budget)[0]) == trials


def test_a_budget_without_limits_or_with_nonsense_is_refused():
    for limits in ({}, {"proposals": 0}, {"tokens": -1}, {"seconds": "ten"}, {"proposals": True}):
        with pytest.raises(SettingError):
            Budget(**limits)


def test_a_log_is_fed_back_without_evaluating_again():
    proposals = [GOOD, BAD, None, {"x": 0.1, "units": 1}, {"x": 0.2, "units": 1}]
    full, _, _ = run(proposals)
    rest, optimizer, benchmark = run(proposals, logged=full[:4])
    assert [row["index"] for row in rest] == [4]
    assert benchmark.evaluated == [proposals[4]]
    assert [trial.outcome for trial in optimizer.told][:4] == [trial.outcome for trial in run(proposals)[1].told[:4]]
    assert optimizer.told[1].ask_seconds == full[1]["ask_seconds"]


def test_a_log_that_replays_differently_is_refused_with_the_difference():
    full, _, _ = run([GOOD, GOOD])
    with pytest.raises(RunError, match=r"Trial 1 replays differently.*proposed"):
        run([GOOD, BAD], logged=full)


def test_a_benchmark_cannot_change_what_is_recorded():
    class Meddler(Line):
        def evaluate(self, params, fidelity, seed):
            outcome = super().evaluate(dict(params), fidelity, seed)
            params["x"] = "changed"
            return outcome

    rows, optimizer, _ = run([GOOD], benchmark=Meddler())
    assert rows[0]["executed"] == GOOD
    assert optimizer.told[0].params == GOOD


def test_numbers_that_json_lacks_are_recorded_as_texts():
    rows, _, _ = run([{"x": object, "units": {1, 2}, "deep": [{"a": math.nan}]}])
    assert rows[0]["proposed"]["x"].startswith("<class")
    assert {violation["fault"] for violation in rows[0]["violations"]} == {"wrong_type", "unknown"}


def test_the_highest_fidelity_has_one_name():
    problem = Toy().problem
    assert below_highest({"steps": 27}, problem) is None
    assert below_highest({}, problem) is None
    assert below_highest({"steps": 3}, problem) == {"steps": 3}
    assert below_highest({"epochs": 3}, problem) == {"epochs": 3}, "unknown: the benchmark refuses it"


def test_another_fidelity_is_no_duplicate():
    params = Toy().problem.default
    levels = ({"steps": 3}, {"steps": 9}, {"steps": 3}, None, {"steps": 27})
    proposals = [Proposal(params, fidelity) for fidelity in levels]
    toy = Toy()
    rows = []
    run_loop(toy, Scripted(proposals), NoRepair(toy.problem, 0), Budget(proposals=5), 0, rows.append)
    assert [row["duplicate_of"] for row in rows] == [None, None, 0, None, 3]
    assert [row["fidelity"] for row in rows] == [{"steps": 3}, {"steps": 9}, {"steps": 3}, None, None]
    assert rows[3]["losses"]["value"] < rows[1]["losses"]["value"] < rows[0]["losses"]["value"]


def test_candidates_become_part_of_the_row():
    violations = (Violation(Fault.OUT_OF_RANGE, "x", 9), Violation(Fault.MISSING, "units"))
    drawn = Candidate({"x": 9}, violations, 7, None, "far")
    proposal = Proposal({"x": 0.1, "units": 1}, candidates=(drawn, Candidate({"x": 0.1, "units": 1}, (), 8, 0.5)))
    rows = []
    line = Line()
    run_loop(line, Scripted([proposal]), NoRepair(line.problem, 0), Budget(proposals=1), 0, rows.append)
    assert rows[0]["candidates"] == [
        {
            "proposed": {"x": 9},
            "violations": [
                {"fault": "out_of_range", "name": "x", "value": 9},
                {"fault": "missing", "name": "units", "value": None},
            ],
            "call": 7,
            "score": None,
            "note": "far",
        },
        {"proposed": {"x": 0.1, "units": 1}, "violations": [], "call": 8, "score": 0.5, "note": None},
    ]


def test_an_optimizer_is_told_no_test_scores_and_no_configuration_behind_a_probe():
    class Probed(Line):
        def evaluate(self, params, fidelity, seed):
            return dataclasses.replace(super().evaluate(params, fidelity, seed), evaluated={"x": 0.3, "units": 1})

    line, rows = Probed(), []
    optimizer = Scripted([{"x": 0.1, "units": 1}] * 2)
    run_loop(line, optimizer, NoRepair(line.problem, 0), Budget(proposals=2), 0, rows.append)
    assert all(row["metrics"] and row["evaluated"] for row in rows)
    told = [*optimizer.told, optimizer.told[1].repeats]
    assert [trial.outcome for trial in told] == [Outcome(rows[0]["losses"], {}, 2.0)] * 3
