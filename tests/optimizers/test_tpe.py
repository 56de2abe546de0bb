from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float

import optimizers.shared.optuna_study
from harness.budget import Budget
from harness.loop import run_loop
from harness.problem import Objective, Outcome, Problem
from harness.repair import NoRepair
from harness.trial import Proposal, Trial
from harness.validity import Checker
from optimizers.tpe import TPE
from tests.support.fakes import Line, rich_space

BUDGET = Budget(proposals=99)
LOSS = Objective("loss", "minimize")


def trial(params, loss, proposed=None):
    """A trial with this loss; without a loss it failed."""
    outcome = None if loss is None else Outcome({"loss": loss})
    return Trial(0, Proposal(params if proposed is None else proposed), params=params, outcome=outcome)


def on(space, seed=0, **settings):
    return TPE(Problem("p", space, (LOSS,), dict(space.get_default_configuration())), seed, BUDGET, **settings)


def unit_interval():
    space = ConfigurationSpace()
    space.add(Float("x", (0.0, 1.0)))
    return space


def rich_proposals(seed, multivariate):
    optimizer = on(rich_space(), seed, multivariate=multivariate)
    proposals = []
    for _ in range(40):
        proposals.append(optimizer.ask().params)
        loss = proposals[-1]["cost"] + 100 * (proposals[-1]["kernel"] != "poly")
        optimizer.tell(trial(proposals[-1], loss))
    return proposals


@pytest.mark.parametrize("multivariate", [False, True])
def test_it_proposes_what_optuna_itself_would(multivariate):
    benchmark, rows = Line(), []
    optimizer = TPE(benchmark.problem, 7, BUDGET, multivariate=multivariate)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), Budget(proposals=30), 0, rows.append)

    def objective(trial):
        suggest = {
            "x": lambda: trial.suggest_float("x", 0.0, 1.0),
            "units": lambda: trial.suggest_int("units", 1, 8),
        }
        params = {name: suggest[name]() for name in benchmark.problem.space}
        return abs(params["x"] - 0.25) + params["units"] / 100

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=7, multivariate=multivariate))
    study.optimize(objective, n_trials=30)
    assert [row["proposed"] for row in rows] == [trial.params for trial in study.trials]


@pytest.mark.parametrize("multivariate", [False, True])
def test_every_proposal_is_legal_whatever_the_space_holds(multivariate):
    proposals = rich_proposals(0, multivariate)
    checker = Checker(rich_space())
    assert all(checker.check(params) == (params, ()) for params in proposals)
    assert {type(value) for params in proposals for value in params.values()} == {bool, int, float, str}
    assert {params["kernel"] for params in proposals} == {"linear", "rbf", "poly"}
    assert {params["batch"] for params in proposals} == {16, 32, 64}
    assert {len(params) for params in proposals} == {5, 6, 7}, "with and without degree and coef0"
    assert sum(params["kernel"] == "poly" for params in proposals[20:]) > 14


def test_levels_of_mixed_types_come_back_as_they_are():
    space = ConfigurationSpace()
    space.add(Categorical("choice", [True, 1.5, "auto"]))
    optimizer = on(space)
    for _ in range(20):
        value = optimizer.ask().params["choice"]
        assert (type(value), value) in [(bool, True), (float, 1.5), (str, "auto")]
        optimizer.tell(trial({"choice": value}, 0.0 if value is True else 1.0))


@pytest.mark.parametrize("best", [0.2, 0.8])
def test_it_learns_from_what_was_executed_and_not_from_what_was_proposed(best):
    """Twenty trials that it never asked for, repaired from 9.0 to a grid."""
    optimizer = on(unit_interval())
    for i in range(20):
        optimizer.tell(trial({"x": i / 19}, abs(i / 19 - best), proposed={"x": 9.0}))
    assert sum(abs(optimizer.ask().params["x"] - best) < 0.2 for _ in range(20)) >= 18


def test_a_failure_ranks_behind_every_success_and_an_invalid_proposal_teaches_nothing():
    """Five successes, the best at 0, and fifteen failures above: if ignored, draws would still be random."""
    told, untold = on(unit_interval()), on(unit_interval())
    for i in range(20):
        x = i / 19
        for optimizer in (told, untold):
            optimizer.tell(trial({"x": x}, None if x > 0.25 else 1e6 + x))
        told.tell(Trial(0, Proposal(None)))
    drawn = [told.ask().params["x"] for _ in range(20)]
    assert drawn == [untold.ask().params["x"] for _ in range(20)]
    assert sum(x < 0.25 for x in drawn) >= 18


def test_it_continues_if_everything_fails():
    optimizer = on(unit_interval())
    seen = set()
    for _ in range(15):
        seen.add(optimizer.ask().params["x"])
        optimizer.tell(trial({"x": 0.5}, None))
    assert len(seen) == 15


def test_where_suggestions_stay_forbidden_it_proposes_a_random_configuration_and_says_so(monkeypatch):
    monkeypatch.setattr(optimizers.shared.optuna_study, "TRIES", 0)
    proposal = on(rich_space()).ask()
    assert Checker(rich_space()).check(proposal.params) == (proposal.params, ())
    assert proposal.note.startswith("random: ")


def test_optuna_says_nothing_and_its_verbosity_is_left_alone(capfd, recwarn):
    before = optuna.logging.get_verbosity()
    rich_proposals(0, False)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before
    assert len(recwarn) == 0


def test_the_same_seed_proposes_the_same_in_another_process():
    script = (
        "from tests.optimizers.test_tpe import rich_proposals; print(rich_proposals(1, False), rich_proposals(1, True))"
    )
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=root,
            env=os.environ | {"PYTHONHASHSEED": salt},
            stdout=subprocess.PIPE,
            text=True,
        )
        for salt in ("1", "2")
    ]
    first, second = (process.communicate()[0] for process in processes)
    assert first == second == f"{rich_proposals(1, False)} {rich_proposals(1, True)}\n"
