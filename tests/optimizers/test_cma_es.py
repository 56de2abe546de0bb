from __future__ import annotations

import numpy as np
import pytest
from cmaes import CMA
from ConfigSpace import ConfigurationSpace, Constant, Float

import optimizers.cma_es
from benchmarks.toy import Toy
from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import Objective, Outcome, Problem
from harness.repair import NoRepair
from harness.trial import Proposal, Trial
from harness.validity import Checker
from optimizers.cma_es import CMAES
from optimizers.shared.unit_cube import UnitCube
from tests.support.fakes import Line, rich_space

BUDGET = Budget(proposals=99)
LOSS = Objective("loss", "minimize")
POPULATION = 6  # 4 + floor(3 ln 2)


def square(dimensions=2):
    space = ConfigurationSpace()
    space.add([Float(name, (0.0, 1.0)) for name in "xyzuvw"[:dimensions]])
    return space


def on(space, seed=0, **settings):
    return CMAES(Problem("p", space, (LOSS,), dict(space.get_default_configuration())), seed, BUDGET, **settings)


def trial(params, loss):
    """A trial with this loss; without a loss it failed."""
    return Trial(0, Proposal(params), params=params, outcome=None if loss is None else Outcome({"loss": loss}))


def sphere(params):
    return (params["x"] - 0.7) ** 2 + (params["y"] - 0.2) ** 2


def plain(seed=0, mean=(0.5, 0.5)):
    """The library's own CMA, set up as in Optuna."""
    return CMA(
        np.array(mean),
        1 / 6,
        bounds=np.array([[0.0, 1.0], [0.0, 1.0]]),
        n_max_resampling=20,
        seed=int(np.random.default_rng(seed).integers(2**31)),
    )


def generation(cma, loss):
    """One generation of the library: the points and their losses, told."""
    points = [cma.ask() for _ in range(POPULATION)]
    cma.tell([(point, loss({"x": point[0], "y": point[1]})) for point in points])
    return points


def assert_same_state(optimizer, cma):
    state = optimizer.distribution
    assert state.names == ("x", "y")
    np.testing.assert_allclose(state.mean, cma.mean)
    assert state.configuration == pytest.approx({"x": cma.mean[0], "y": cma.mean[1]})
    assert state.sigma == pytest.approx(cma._sigma)
    np.testing.assert_allclose(state.covariance, cma._C)


def test_it_is_the_librarys_cma_on_the_unit_cube():
    optimizer, cma = on(square()), plain()
    for _ in range(5):
        for point in generation(cma, sphere):
            params = optimizer.ask().params
            assert [params["x"], params["y"]] == pytest.approx(list(point), rel=1e-9)
            optimizer.tell(trial(params, sphere(params)))
        assert_same_state(optimizer, cma)
    assert optimizer.distribution.sigma != pytest.approx(1 / 6)


def test_it_minimizes():
    benchmark, rows = Toy(task="branin"), []
    optimizer = CMAES(benchmark.problem, 0, BUDGET)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), Budget(proposals=150), 0, rows.append)
    losses = [next(iter(row["losses"].values())) for row in rows]
    assert min(losses) < 0.45, "the optimum of the smooth surface is 0.3979"
    assert np.mean(losses[-20:]) < np.mean(losses[:20]) / 5


def test_what_was_executed_takes_the_pending_points_place():
    """The fourth point of a generation is overridden, and executed at (0.7, 0.2) with loss 0."""
    optimizer, cma = on(square()), plain()
    points = [cma.ask() for _ in range(POPULATION)]
    points[3] = np.array([0.7, 0.2])
    for i in range(POPULATION):
        asked = optimizer.ask().params
        optimizer.tell(trial({"x": 0.7, "y": 0.2} if i == 3 else asked, 0.0 if i == 3 else sphere(asked)))
    cma.tell([(point, sphere({"x": point[0], "y": point[1]})) for point in points])
    assert_same_state(optimizer, cma)


def test_a_proposal_stays_pending_until_something_was_executed():
    optimizer = on(square())
    first = optimizer.ask()
    optimizer.tell(Trial(0, Proposal({"x": 7})))
    assert optimizer.ask() == first
    optimizer.tell(trial(first.params, 1.0))
    assert optimizer.ask() != first


def test_coordinates_of_which_the_executed_configuration_says_nothing_stay_as_drawn():
    space = rich_space()
    optimizer, cube = on(space), UnitCube(space)
    optimizer.ask()
    drawn = optimizer._pending[0]
    executed = {"kernel": "rbf", "cost": 1.0, "shrink": True, "batch": 32, "kind": "svm"}
    optimizer.tell(trial(executed, 0.0))
    told = dict(zip(cube.names, optimizer._population[-1][0], strict=True))
    before = dict(zip(cube.names, drawn, strict=True))
    assert (told["degree"], told["coef0"]) == (before["degree"], before["coef0"])
    assert {told[name] for name in ("kernel", "cost", "batch")} == {0.5}


@pytest.mark.parametrize(
    ("told", "mean"),
    [
        ([({"x": 0.1, "y": 0.9}, 2.0), ({"x": 0.3, "y": 0.4}, 1.0)], (0.3, 0.4)),
        ([({"x": 0.1, "y": 0.9}, None)], (0.5, 0.5)),
    ],
)
def test_it_begins_at_the_best_of_a_start_that_is_in_no_population(told, mean):
    optimizer, cma = on(square()), plain(mean=mean)
    for params, loss in told:
        optimizer.tell(trial(params, loss))
    optimizer.ask()
    assert tuple(optimizer.distribution.mean) == pytest.approx(mean)
    for _ in range(POPULATION):
        params = optimizer.ask().params
        optimizer.tell(trial(params, sphere(params)))
    generation(cma, sphere)
    assert_same_state(optimizer, cma)


def test_a_failure_counts_as_the_worst_loss_so_far():
    def hole(params):
        return None if params["x"] < 0.45 else sphere(params)

    optimizer, cma = on(square()), plain()
    points = [cma.ask() for _ in range(POPULATION)]
    losses = [hole({"x": x, "y": y}) for x, y in points]
    assert None in losses
    worst = max(loss for loss in losses if loss is not None)
    cma.tell([(point, worst if loss is None else loss) for point, loss in zip(points, losses, strict=True)])
    for _ in range(POPULATION):
        params = optimizer.ask().params
        optimizer.tell(trial(params, hole(params)))
    assert_same_state(optimizer, cma)


def test_a_population_that_failed_whole_before_any_success_is_forgotten():
    optimizer, cma = on(square()), plain()
    seen = set()
    for _ in range(POPULATION + 2):
        params = optimizer.ask().params
        seen.add(params["x"])
        optimizer.tell(trial(params, None))
    assert_same_state(optimizer, cma)
    assert len(seen) == POPULATION + 2


def test_every_proposal_is_legal_whatever_the_space_holds():
    space = rich_space()
    optimizer, checker = on(space), Checker(space)
    for _ in range(80):
        params = optimizer.ask().params
        assert checker.check(params) == (params, ())
        optimizer.tell(trial(params, params["cost"] + 100 * (params["kernel"] != "linear")))
    assert optimizer.distribution.configuration["kernel"] == "linear"


def test_where_points_stay_forbidden_it_proposes_a_random_configuration_and_says_so(monkeypatch):
    monkeypatch.setattr(optimizers.cma_es, "TRIES", 0)
    proposal = on(rich_space()).ask()
    assert Checker(rich_space()).check(proposal.params) == (proposal.params, ())
    assert proposal.note.startswith("random: ")


def test_without_progress_it_starts_again_from_another_mean():
    """On a plateau the library stops after 10 + ceil(30 * 2 / 6) = 20 generations."""
    optimizer = on(square())
    for _ in range(21 * POPULATION):
        before = optimizer.ask().params, optimizer.distribution
        optimizer.tell(trial(before[0], 1.0))
    after = optimizer.distribution
    assert before[1].sigma != pytest.approx(1 / 6)
    assert after.sigma == pytest.approx(1 / 6)
    np.testing.assert_array_equal(after.covariance, np.eye(2))
    assert not np.allclose(after.mean, 0.5, atol=0.01)
    assert on(square()).ask().params != optimizer.ask().params, "with a new seed"


def test_one_dimension_and_another_population_work():
    optimizer = on(square(1), population=5)
    for _ in range(60):
        params = optimizer.ask().params
        optimizer.tell(trial(params, (params["x"] - 0.9) ** 2))
    assert optimizer.distribution.configuration["x"] == pytest.approx(0.9, abs=0.05)


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(SettingError, match="at least 4"):
        on(square(), population=3)
    with pytest.raises(SettingError, match="positive"):
        on(square(), sigma=0.0)
    space = ConfigurationSpace()
    space.add(Constant("kind", "svm"))
    with pytest.raises(SettingError, match="one that varies"):
        on(space)


def test_no_numpy_scalars_leak_out():
    benchmark, rows = Line(), []
    run_loop(benchmark, CMAES(benchmark.problem, 0, BUDGET), NoRepair(benchmark.problem, 0), BUDGET, 0, rows.append)
    assert {type(value) for row in rows for value in row["proposed"].values()} == {int, float}
