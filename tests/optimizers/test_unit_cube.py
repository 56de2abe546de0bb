from __future__ import annotations

import numpy as np
import pytest

from benchmarks.hpobench.hpobench import HPOBench
from benchmarks.toy import Toy
from harness.validity import Checker
from optimizers.shared.unit_cube import UnitCube
from tests.support.fakes import VALID, rich_space

SPACES = {
    "rich": rich_space(),
    "branin": Toy("branin").problem.space,
    "peak": Toy("peak").problem.space,
    "grid": HPOBench().problem.space,
    "nearest": HPOBench(space="nearest").problem.space,
}


@pytest.mark.parametrize("name", SPACES)
def test_every_point_is_a_valid_configuration_or_forbidden_and_comes_back(name):
    space = SPACES[name]
    cube, checker, rng = UnitCube(space), Checker(space), np.random.default_rng(0)
    allowed = 0
    for point in rng.uniform(-0.1, 1.1, (200, cube.dimensions)):
        params = cube.params(point)
        if params is not None:
            allowed += 1
            assert checker.check(params) == (params, ())
            assert {type(value) for value in params.values()} <= {bool, int, float, str}
            again = cube.params(cube.point(params))
            assert again.keys() == params.keys()
            assert all(again[key] == pytest.approx(params[key]) for key in params if not isinstance(params[key], str))
    assert allowed > 100


def test_coordinates_by_hand():
    cube = UnitCube(rich_space())
    assert cube.names == ("batch", "cost", "kernel", "shrink", "degree", "coef0")
    assert cube.point(VALID) == pytest.approx([0.5, 0.5, 0.5, 0.25, 0.5, 0.5]), "inactive ones are in the middle"
    assert cube.params([0.1, 0.0, 0.99, 0.6, 0.0, 0.3]) == {
        "batch": 16,
        "cost": pytest.approx(1e-3),
        "kernel": "poly",
        "shrink": False,
        "kind": "svm",
        "degree": 1,
    }
    assert cube.params([0.9, 0.5, 0.1, 0.1, 0.5, 0.5]) is None, "linear with batch 64 is forbidden"


def test_every_level_is_reached_from_an_interval_of_equal_length():
    cube = UnitCube(HPOBench().problem.space)
    depths = [cube.params([0.5, 0.5, u, 0.5, 0.5])["depth"] for u in (0.0, 0.33, 0.34, 0.66, 0.67, 1.0)]
    assert depths == [1, 1, 2, 2, 3, 3]
