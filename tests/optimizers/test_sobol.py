from __future__ import annotations

import itertools

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float, OrdinalHyperparameter
from scipy.stats import qmc

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.problem import Objective, Problem
from harness.validity import Checker
from optimizers.shared.unit_cube import UnitCube
from optimizers.sobol import Sobol

BUDGET = Budget(proposals=1)


def square():
    space = ConfigurationSpace(name="square")
    space.add(Float("a", (0.0, 4.0)), Float("b", (1.0, 16.0), log=True))
    return Problem("fake.square", space, (Objective("loss", "minimize"),), {"a": 1.0, "b": 2.0})


@pytest.mark.parametrize("seed", [0, 1])
def test_its_first_sixteen_points_fall_into_the_sixteen_cells(seed):
    """A (0, m, 2)-net: for any scrambling, each cell of the 4 x 4, 2 x 8 and 16 x 1 grids has one point."""
    optimizer = Sobol(square(), seed, BUDGET)
    drawn = [optimizer.ask().params for _ in range(16)]
    for columns, rows in ((4, 4), (2, 8), (16, 1)):
        cells = {(int(p["a"] / 4 * columns), int(np.log2(p["b"]) / 4 * rows)) for p in drawn}
        assert len(cells) == 16


def test_numbers_lie_on_their_own_scale():
    optimizer = Sobol(square(), 3, BUDGET)
    points = qmc.Sobol(2, scramble=True, seed=np.random.default_rng(3)).random(4)
    for a, b in points:
        assert optimizer.ask().params == pytest.approx({"a": 4 * a, "b": 16**b})


def test_forbidden_points_are_passed_over_and_no_other():
    problem = Toy(task="peak").problem
    optimizer, cube, checker = Sobol(problem, 0, BUDGET), UnitCube(problem.space), Checker(problem.space)
    points = qmc.Sobol(5, scramble=True, seed=np.random.default_rng(0)).random(128)
    allowed = [params for params in map(cube.params, points) if params is not None]
    assert len(allowed) < 128
    asked = [optimizer.ask().params for _ in allowed]
    assert asked == allowed
    assert all(checker.check(params)[1] == () for params in asked)


def test_levels_get_equal_shares():
    space = ConfigurationSpace(name="levels")
    space.add(OrdinalHyperparameter("batch", (16, 32, 64, 128)), Categorical("nesterov", [True, False]))
    problem = Problem("fake.levels", space, (Objective("loss", "minimize"),), {"batch": 16, "nesterov": True})
    optimizer = Sobol(problem, 0, BUDGET)
    drawn = [tuple(optimizer.ask().params.values()) for _ in range(64)]
    assert {pair: drawn.count(pair) for pair in drawn} == dict.fromkeys(
        itertools.product((16, 32, 64, 128), (True, False)), 8
    )
