from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from benchmarks.toy import Toy
from harness.problem import Objective, Problem
from harness.validity import Checker
from optimizers.llinbo.gaussian_process import GaussianProcess, fitted
from optimizers.llinbo.inner_search import InnerSearch
from optimizers.llinbo.llinbo_rules import (
    draw_count,
    exploration,
    gp_probability,
    justified,
    kept_draws,
    mixture_ucb,
    threshold,
)
from optimizers.shared.unit_cube import UnitCube
from tests.support.fakes import VALID, rich_space

KERNEL = Matern(1.0, nu=2.5)
AT_ONE = (1 + math.sqrt(5) + 5 / 3) * math.exp(-math.sqrt(5))  # the kernel at distance 1: 0.5240
NOISE = 0.25


def line(*xs):
    return np.array(xs, dtype=float)[:, None]


def two_points():
    """Values -1 and 1 at 0 and 1: mean 0 and deviation 1, so that standardized they are themselves."""
    return GaussianProcess(line(0, 1), np.array([-1.0, 1.0]), KERNEL, NOISE)


def test_one_observation_by_hand():
    process = GaussianProcess(line(0), np.array([7.0]), KERNEL, NOISE)
    mean, deviation = process.posterior(line(0, 1))
    assert mean == pytest.approx([7.0, 7.0]), "its value is the prior's mean"
    assert deviation == pytest.approx([math.sqrt(1 - 1 / 1.25), math.sqrt(1 - AT_ONE**2 / 1.25)])
    assert process.ucb(line(0), 2.0) == pytest.approx([7.0 + 2 * math.sqrt(0.2)])


def test_two_observations_by_hand():
    """(-1, 1) is an eigenvector of the covariances, with eigenvalue 1.25 - k(1)."""
    mean, _ = two_points().posterior(line(0, 1, 0.5))
    end = (1 - AT_ONE) / (1.25 - AT_ONE)
    assert mean == pytest.approx([-end, end, 0.0], abs=1e-9)


def test_units_are_those_of_the_values():
    scaled = GaussianProcess(line(0, 1), np.array([-1.0, 1.0]) * 30 + 500, KERNEL, NOISE)
    (mean, deviation), (other_mean, other_deviation) = two_points().posterior(line(0.3)), scaled.posterior(line(0.3))
    assert other_mean == pytest.approx(mean * 30 + 500)
    assert other_deviation == pytest.approx(deviation * 30)


def test_without_observations_there_is_the_prior():
    mean, deviation = GaussianProcess(np.zeros((0, 1)), np.array([]), KERNEL, NOISE).posterior(line(0.1, 0.9))
    assert list(mean) == [0.0, 0.0]
    assert deviation == pytest.approx([1.0, 1.0])


def test_it_is_the_posterior_of_scikit_learn():
    rng = np.random.default_rng(0)
    points, probes = rng.random((12, 3)), rng.random((5, 3))
    values = np.sin(points.sum(axis=1) * 3)
    values = (values - values.mean()) / values.std()
    judge = GaussianProcessRegressor(KERNEL, alpha=NOISE, optimizer=None).fit(points, values)
    mean, deviation = judge.predict(probes, return_std=True)
    ours = GaussianProcess(points, values, KERNEL, NOISE).posterior(probes)
    assert ours[0] == pytest.approx(mean)
    assert ours[1] == pytest.approx(deviation)


def test_imagined_values_do_what_refitting_with_each_does():
    """Against solving the larger system once for each value, with the same kernel, noise, center and scale."""
    values, at, probes = np.array([2.0, 3.0, 7.0]), np.array([0.6]), line(0.1, 0.6, 0.9)
    observed = line(0, 1, 0.6)
    covariance = KERNEL(observed) + NOISE * np.eye(3)
    weights = np.linalg.solve(covariance, KERNEL(observed, probes))
    means = np.array([weights.T @ np.array([-1.0, 1.0, value]) for value in values])
    variance = 1 - (KERNEL(observed, probes) * weights).sum(axis=0)
    mean, spread, deviation = two_points().imagined(probes, at, values)
    assert mean == pytest.approx(means.mean(axis=0))
    assert spread == pytest.approx(means.var(axis=0, ddof=1))
    assert deviation == pytest.approx(np.sqrt(variance))
    expected = means.mean(axis=0) + 3.0 * np.sqrt(variance + means.var(axis=0, ddof=1))
    assert mixture_ucb(two_points(), probes, at, values, 3.0) == pytest.approx(expected)


def test_one_imagined_value_has_no_spread():
    assert list(two_points().imagined(line(0.2), np.array([0.6]), np.array([4.0]))[1]) == [0.0]


def test_hyperparameters_are_learned():
    rng = np.random.default_rng(0)
    points = rng.random((25, 2))
    process = fitted(points, np.sin(6 * points[:, 0]))
    lengths = process._kernel.k2.length_scale
    assert lengths[1] > 5 * lengths[0], "the second coordinate does nothing"
    mean, deviation = process.posterior(np.array([[0.5, 0.5]]))
    assert mean[0] == pytest.approx(math.sin(3), abs=0.1)
    assert deviation[0] < 0.1


def test_equal_values_and_points_do_no_harm():
    process = fitted(np.full((4, 2), 0.5), np.zeros(4))
    assert np.isfinite(process.ucb(np.array([[0.5, 0.5], [0.0, 1.0]]), 2.0)).all()


def test_the_schedules_by_hand():
    assert [gp_probability(t, 20) for t in (1, 2, 4, 5, 20)] == [0.05, 0.2, 0.8, 1.0, 1.0]
    assert [threshold(0.6, t) for t in (1, 2, 3)] == pytest.approx([0.6, 0.3, 0.2])
    assert [draw_count(t) for t in (1, 2, 3, 100, 101)] == [10_000, 2500, 1111, 1, 0]
    assert exploration(3, 2) == pytest.approx(2 * math.log(3 * 2 * 9.8696044 / 0.6))


def test_the_check_accepts_only_above_the_threshold():
    assert justified(1.51, 2.0, 0.5)
    assert not justified(1.5, 2.0, 0.5)
    assert not justified(1.49, 2.0, 0.5)


def test_all_or_none_of_the_draws_are_kept():
    draws = np.array([1.0, 2.0, 3.0])
    assert list(kept_draws(draws, 0.5)) == [1.0, 2.0, 3.0]
    assert list(kept_draws(draws, 2.0)) == [3.0]
    assert list(kept_draws(draws, 3.0)) == []


def test_the_inner_search_finds_a_peak():
    problem = Toy(task="branin").problem
    cube = UnitCube(problem.space)
    peak = cube.point({**problem.default, "surface": "smooth", "x1": 3.0, "x2": 11.0})
    names = [cube.names.index(name) for name in ("x1", "x2")]
    found = InnerSearch(problem, 0).maximize(lambda points: -((points - peak)[:, names] ** 2).sum(axis=1), [])
    assert abs(found.params["x1"] - 3.0) < 1.0
    assert abs(found.params["x2"] - 11.0) < 1.0
    assert found.value == pytest.approx(-((found.point - peak)[names] ** 2).sum())


def test_the_inner_search_proposes_valid_configurations_it_was_not_told_to_avoid():
    problem = Problem("rich", rich_space(), (Objective("loss", "minimize"),), VALID)
    search, checker = InnerSearch(problem, 0), Checker(problem.space)
    seen = []
    for _ in range(5):
        found = search.maximize(lambda points: -points.sum(axis=1), [np.full(6, 0.5)], seen)
        assert checker.check(found.params) == (found.params, ())
        assert found.params not in seen
        seen.append(found.params)


def test_where_everything_is_to_be_avoided_it_repeats():
    from ConfigSpace import Categorical, ConfigurationSpace

    space = ConfigurationSpace()
    space.add(Categorical("a", ["p", "q"]))
    problem = Problem("two", space, (Objective("loss", "minimize"),), {"a": "p"})
    found = InnerSearch(problem, 0).maximize(lambda points: points[:, 0], [], [{"a": "p"}, {"a": "q"}])
    assert found.params == {"a": "q"}
