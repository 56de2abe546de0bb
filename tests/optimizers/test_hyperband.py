from __future__ import annotations

import pytest
from ConfigSpace import ConfigurationSpace, Float

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Fidelity, Objective, Outcome, Problem
from harness.repair import NoRepair
from harness.trial import Proposal, Trial
from optimizers.multifidelity.brackets import most_halvings
from optimizers.multifidelity.hyperband import Hyperband
from optimizers.multifidelity.successive_halving import SuccessiveHalving
from optimizers.random_search import RandomSearch
from optimizers.shared.draws import Draws
from optimizers.shared.fidelity import at

BUDGET = Budget(proposals=1)


def problem(*fidelities):
    space = ConfigurationSpace(name="line")
    space.add(Float("x", (0.0, 1.0)))
    return Problem("fake.line", space, (Objective("loss", "minimize"),), {"x": 0.5}, fidelities)


EPOCHS = Fidelity("epochs", 1, 81, integer=True)


def told(optimizer, proposal, loss, index=0, params=None):
    """Tell the outcome of a proposal; a loss of None is a failure."""
    outcome = None if loss is None else Outcome({"loss": loss})
    error = "it diverged" if loss is None else None
    optimizer.tell(Trial(index, proposal, params=params or proposal.params, outcome=outcome, error=error))


def rungs(optimizer, trials):
    """Runs of equal levels that the optimizer asks for, as (configurations, level); smaller x are better."""
    found = []
    for _ in range(trials):
        proposal = optimizer.ask()
        level = 81 if proposal.fidelity is None else proposal.fidelity["epochs"]
        assert proposal.fidelity is None or set(proposal.fidelity) == {"epochs"}
        if found and found[-1][1] == level:
            found[-1][0] += 1
        else:
            found.append([1, level])
        told(optimizer, proposal, proposal.params["x"])
    return [tuple(rung) for rung in found]


# Li et al. 2018, table 1: (n_i, r_i) of each bracket at R = 81 and eta = 3. Brackets 1 and 0 are in one row: the latter
# evaluates at 81 right after the former has.
TABLE = [
    *[(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    *[(27, 3), (9, 9), (3, 27), (1, 81)],
    *[(9, 9), (3, 27), (1, 81)],
    *[(6, 27), (2 + 5, 81)],
]
# Its algorithm 1, by hand: n = ceil(5 * 3^s / (s + 1)) = 81, 33.75, 15, 7.5, 5; n_i = floor(n / 3^i).
ALGORITHM = [
    *[(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    *[(34, 3), (11, 9), (3, 27), (1, 81)],
    *[(15, 9), (5, 27), (1, 81)],
    *[(8, 27), (2 + 5, 81)],
]


@pytest.mark.parametrize(("sizes", "expected"), [("table", TABLE), ("algorithm", ALGORITHM)])
def test_the_brackets_are_those_of_the_paper_and_start_over(sizes, expected):
    optimizer = Hyperband(problem(EPOCHS), 0, BUDGET, sizes=sizes)
    trials = sum(configurations for configurations, _ in expected)
    assert rungs(optimizer, 2 * trials) == 2 * expected


def test_successive_halving_halves_and_starts_over():
    optimizer = SuccessiveHalving(problem(Fidelity("epochs", 10, 81, integer=True)), 0, BUDGET)
    # 81 / 8 = 10.125 is the lowest level that is not below 10; 40.5 is rounded to the even number.
    expected = [(8, 10), (4, 20), (2, 40), (1, 81)]
    assert rungs(optimizer, 30) == 2 * expected


@pytest.mark.parametrize(
    ("lower", "upper", "eta", "halvings"),
    [(1, 81, 3, 4), (1, 80, 3, 3), (1, 243, 3, 5), (1, 1000, 10, 3), (0.1, 0.3, 3, 1), (1 / 27, 1, 3, 3), (2, 2, 3, 0)],
)
def test_the_number_of_halvings_does_not_suffer_from_floating_point(lower, upper, eta, halvings):
    assert most_halvings(Fidelity("share", lower, upper), eta) == halvings


def test_the_best_are_promoted_and_in_a_tie_the_earlier():
    optimizer = SuccessiveHalving(problem(Fidelity("epochs", 1, 4, integer=True)), 0, BUDGET)
    first = [optimizer_asked(optimizer, loss) for loss in (2.0, 1.0, 1.0, 1.0)]
    second = [optimizer_asked(optimizer, loss) for loss in (7.0, 7.0)]
    assert second == [first[1], first[2]]
    assert optimizer_asked(optimizer, 0.0) == first[1]


def optimizer_asked(optimizer, loss):
    proposal = optimizer.ask()
    told(optimizer, proposal, loss)
    return proposal.params


def test_a_failure_is_worse_than_any_loss_and_promoted_only_if_needed():
    optimizer = SuccessiveHalving(problem(Fidelity("epochs", 1, 4, integer=True)), 0, BUDGET)
    first = [optimizer_asked(optimizer, loss) for loss in (None, None, 1e300, None)]
    second = [optimizer_asked(optimizer, loss) for loss in (None, None)]
    assert second == [first[2], first[0]]


def test_a_repaired_configuration_is_promoted():
    optimizer = SuccessiveHalving(problem(Fidelity("epochs", 1, 2, integer=True)), 0, BUDGET)
    told(optimizer, optimizer.ask(), 0.0, params={"x": 0.125})
    optimizer_asked(optimizer, 1.0)
    assert optimizer.ask().params == {"x": 0.125}


def test_a_start_belongs_to_no_rung():
    plain, started = (Hyperband(problem(EPOCHS), 4, BUDGET) for _ in range(2))
    told(started, Proposal({"x": 0.0}), -1.0)
    assert rungs(started, 150) == rungs(plain, 150)
    assert started.ask() == plain.ask()


def test_its_configurations_are_random_searchs():
    optimizer = Hyperband(problem(EPOCHS), 7, BUDGET)
    draws = Draws(problem().space, 7)
    assert [optimizer_asked(optimizer, 0.0) for _ in range(81)] == [draws.next() for _ in range(81)]


def test_a_fidelity_is_chosen_by_name_and_the_others_are_left_out():
    shares = Fidelity("share", 0.1, 0.9)
    chosen = Hyperband(problem(EPOCHS, shares), 0, BUDGET, fidelity="share")
    assert chosen.ask().fidelity == {"share": pytest.approx(0.1)}
    assert Hyperband(problem(EPOCHS, shares), 0, BUDGET).ask().fidelity == {"epochs": 1}


@pytest.mark.parametrize(
    ("level", "expected"), [(81, None), (80.6, None), (27, {"epochs": 27}), (2.7, {"epochs": 3}), (0.2, {"epochs": 1})]
)
def test_levels_are_rounded_and_the_highest_is_none(level, expected):
    assert at(EPOCHS, level) == expected
    if expected is not None:
        assert type(at(EPOCHS, level)["epochs"]) is int


@pytest.mark.parametrize("method", [Hyperband, SuccessiveHalving])
@pytest.mark.parametrize(
    ("fidelities", "settings", "message"),
    [
        ((), {}, "needs a task with a fidelity, and fake.line has none"),
        ((EPOCHS,), {"fidelity": "epoch"}, "Unknown fidelity of fake.line 'epoch'; did you mean 'epochs'"),
        ((EPOCHS,), {"eta": 1}, "optimizer.eta is 1; give a whole number of at least 2"),
        ((EPOCHS,), {"eta": 2.5}, "optimizer.eta is 2.5"),
        ((Fidelity("epochs", 0, 9),), {}, "fidelity epochs of fake.line begins at 0"),
    ],
)
def test_mistakes_are_one_sentence(method, fidelities, settings, message):
    with pytest.raises(SettingError, match=message):
        method(problem(*fidelities), 0, BUDGET, **settings)


def test_unknown_sizes_are_named():
    with pytest.raises(SettingError, match="did you mean 'table'"):
        Hyperband(problem(EPOCHS), 0, BUDGET, sizes="tables")


def test_what_reaches_the_highest_level_is_better_than_what_random_search_draws():
    def median_score(method, seed):
        benchmark, rows, budget = Toy(task="peak"), [], Budget(proposals=207)
        optimizer = method(benchmark.problem, seed, budget)
        run_loop(benchmark, optimizer, NoRepair(benchmark.problem, seed), budget, seed, rows.append)
        losses = [row["losses"]["score"] for row in rows if row["fidelity"] is None]
        return -sorted(losses)[len(losses) // 2]

    for seed in range(3):
        assert median_score(Hyperband, seed) > median_score(RandomSearch, seed)
