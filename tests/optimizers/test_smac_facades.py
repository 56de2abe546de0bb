from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Objective, Outcome, Problem
from harness.repair import NoRepair
from harness.trial import Proposal, Trial
from harness.validity import Checker
from optimizers.multifidelity.smac_multifidelity import SMACMultifidelity
from optimizers.smac import SMAC
from optimizers.smac_blackbox import SMACBlackbox
from tests.support.fakes import VALID, Line, rich_space

FACADES = [SMAC, SMACBlackbox, SMACMultifidelity]
ROOT = Path(__file__).parents[2]

PROPOSALS = """
import sys
from benchmarks.toy import Toy
from harness.budget import Budget
from harness.loop import run_loop
from harness.repair import NoRepair
from hydra.utils import get_class

benchmark, budget = Toy(task="peak"), Budget(proposals={trials})
optimizer = get_class(sys.argv[1])(benchmark.problem, 3, budget)
rows = []
run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 3), budget, 3, rows.append)
print(*[(row["proposed"], row["fidelity"]) for row in rows], sep="\\n")
"""


def trial(proposal, loss, params=None):
    """The trial of a proposal; a loss of None is a failure."""
    outcome = None if loss is None else Outcome({"score": loss})
    error = "it diverged" if loss is None else None
    return Trial(0, proposal, params=params or proposal.params, outcome=outcome, error=error)


def played(optimizer, benchmark, trials, seed=0):
    rows = []
    repair = NoRepair(benchmark.problem, seed)
    run_loop(benchmark, optimizer, repair, Budget(proposals=trials), seed, rows.append)
    return rows


def history(optimizer):
    """SMAC's own record, as (configuration, budget, cost, status name)."""
    runs = optimizer._facade.runhistory
    return [
        (dict(runs.get_config(key.config_id)), key.budget, value.cost, value.status.name) for key, value in runs.items()
    ]


@pytest.mark.parametrize(("facade", "trials"), [(SMAC, 12), (SMACBlackbox, 8), (SMACMultifidelity, 44)])
def test_the_same_seed_proposes_the_same_in_every_process(facade, trials):
    """As many trials as needed until the model proposes: the first bracket of several fidelities is random."""
    command = [sys.executable, "-c", PROPOSALS.format(trials=trials), f"{facade.__module__}.{facade.__name__}"]
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": salt}, stdout=subprocess.PIPE)
        for salt in ("1", "2")
    ]
    one, other = (process.communicate()[0].decode().splitlines() for process in processes)
    assert len(one) == trials
    assert one == other


@pytest.mark.parametrize("facade", FACADES)
def test_a_trial_of_a_start_counts_and_is_not_asked_for_again(facade):
    problem, budget = Toy(task="peak").problem, Budget(proposals=40)
    plain = facade(problem, 0, budget)
    first = plain.ask()
    plain.tell(trial(first, 0.0))
    second = plain.ask()
    started = facade(problem, 0, budget)
    started.tell(trial(Proposal(first.params), 0.0))
    highest = 27.0 if facade is SMACMultifidelity else None
    assert [(run[1], run[2], run[3]) for run in history(started)] == [(highest, 0.0, "SUCCESS")]
    assert started.ask().params == second.params


@pytest.mark.parametrize("facade", FACADES)
def test_a_failure_costs_as_much_as_the_worst_loss_so_far(facade):
    optimizer = facade(Toy(task="peak").problem, 0, Budget(proposals=40))
    optimizer.tell(trial(Proposal(Toy(task="peak").problem.default), None))
    for loss in (None, 2.0, 5.0, None, 1.0):
        optimizer.tell(trial(optimizer.ask(), loss))
    # The first two are held back until there is a loss, and SMAC lists a trial in the place where it was asked for.
    costs = sorted((cost, status) for _, _, cost, status in history(optimizer))
    assert costs == [(1, "SUCCESS"), (2, "CRASHED"), (2, "CRASHED"), (2, "SUCCESS"), (5, "CRASHED"), (5, "SUCCESS")]
    assert len({key.seed for key in optimizer._facade.runhistory}) == 1


@pytest.mark.parametrize("facade", FACADES)
def test_what_a_repair_executed_is_learned(facade):
    optimizer = facade(Toy(task="peak").problem, 0, Budget(proposals=40))
    executed = {"width": 6, "rate": 0.25, "batch": 64, "solver": "adam", "momentum": True, "version": 1}
    asked = optimizer.ask()
    optimizer.tell(trial(asked, -3.0, params=executed))
    told = [(params, cost, status) for params, _, cost, status in history(optimizer)]
    assert told == [(asked.params, -3.0, "CRASHED"), (executed, -3.0, "SUCCESS")]


@pytest.mark.parametrize("facade", [SMAC, SMACBlackbox])
def test_every_kind_of_hyperparameter(facade):
    """Conditions on conditions, a forbidden clause, an ordinal, a constant and a bool, beyond the initial design."""
    benchmark = Toy(task="peak")
    space = rich_space()
    optimizer = facade(replace(benchmark.problem, space=space, default=VALID, fidelities=()), 0, Budget(proposals=16))
    for index in range(12):
        proposal = optimizer.ask()
        assert Checker(space).check(proposal.params) == (proposal.params, ())
        optimizer.tell(trial(proposal, abs(proposal.params["cost"] - 1) + index / 100))


def test_the_gaussian_process_finds_the_minimum_of_a_line():
    rows = played(SMACBlackbox(Line().problem, 0, Budget(proposals=12)), Line(), 12)
    assert min(row["losses"]["score"] for row in rows) < 0.03


def test_multifidelity_plays_hyperbands_brackets_and_promotes_the_best():
    benchmark = Toy(task="peak")
    # Planned for so many trials that the initial design fills the first rung; what SMAC draws beyond it repeats some.
    optimizer = SMACMultifidelity(benchmark.problem, 0, Budget(proposals=200))
    rows = played(optimizer, benchmark, 41)
    levels = [None if row["fidelity"] is None else row["fidelity"]["steps"] for row in rows]
    assert levels == [1] * 27 + [3] * 9 + [9] * 3 + [None] + [3]
    assert all(type(level) is int for level in levels if level is not None)

    def best(rung, count):
        return [row["executed"] for row in sorted(rung, key=lambda row: row["losses"]["score"])[:count]]

    def same(some, others):
        return sorted(map(str, some)) == sorted(map(str, others))

    assert same([row["executed"] for row in rows[27:36]], best(rows[:27], 9))
    assert same([row["executed"] for row in rows[36:39]], best(rows[27:36], 3))
    assert rows[39]["executed"] == best(rows[36:39], 1)[0]
    budgets = [budget for _, budget, _, _ in history(optimizer)]
    assert budgets == pytest.approx([1] * 27 + [3] * 9 + [9] * 3 + [27] + [3])


@pytest.mark.parametrize("failure_rate", [0.3, 1.0])
def test_multifidelity_continues_after_failures_and_a_start(failure_rate):
    benchmark = Toy(task="peak", failure_rate=failure_rate)
    optimizer = SMACMultifidelity(benchmark.problem, 0, Budget(proposals=45))
    optimizer.tell(trial(Proposal(benchmark.problem.default), 3.0))
    rows = played(optimizer, benchmark, 45)
    assert len(rows) == 45
    assert any(row["error"] for row in rows)
    assert sum(row["fidelity"] is None for row in rows) >= 1


@pytest.mark.parametrize("facade", [SMAC, SMACMultifidelity])
def test_a_lean_forest_grows_and_predicts_the_same(facade):
    """Compared with a facade as built by SMAC, on the same data."""
    benchmark = Toy(task="branin")
    optimizer = facade(benchmark.problem, 5, Budget(proposals=40))
    points = np.random.default_rng(0).random((60, 5))
    costs = np.log(1 + points.sum(axis=1, keepdims=True) ** 2)
    ours = optimizer._facade._model
    shipped = type(optimizer._facade).get_model(optimizer._facade.scenario)
    assert shipped._rf_opts["max_leaf_nodes"] > ours._rf_opts["max_leaf_nodes"]
    for model in (ours, shipped):
        model.train(points[:40], costs[:40])
    for one, other in zip(ours.predict(points), shipped.predict(points), strict=True):
        assert (one == other).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"fidelity": "step"}, "did you mean 'steps'"), ({"eta": 1}, "optimizer.eta is 1; give a whole number")],
)
def test_mistakes_are_one_sentence(settings, message):
    with pytest.raises(SettingError, match=message):
        SMACMultifidelity(Toy().problem, 0, Budget(proposals=9), **settings)


@pytest.mark.parametrize("facade", [SMAC, SMACBlackbox])
def test_an_exhausted_space_does_not_end_the_run(facade):
    """Six configurations, ten proposals. SMAC tries several times to find a new one, then repetitions are noted."""
    space = ConfigurationSpace(name="six", seed=0)
    space.add([Categorical("letter", ["a", "b", "c"]), Categorical("on", [True, False])])
    problem = Problem("fake.six", space, (Objective("score", "minimize"),), {"letter": "a", "on": True})

    def proposed():
        optimizer, found = facade(problem, 0, Budget(proposals=10)), []
        for index in range(10):
            proposal = optimizer.ask()
            optimizer.tell(trial(proposal, float(index)))
            found.append(proposal)
        return found

    found = proposed()
    new = [proposal.params for proposal in found if proposal.note is None]
    assert 4 <= len(new) <= 6
    assert all(new.count(params) == 1 for params in new)
    assert {proposal.note for proposal in found[len(new) :]} == {"SMAC found nothing new: random"}
    assert [proposal.params for proposal in proposed()] == [proposal.params for proposal in found]
