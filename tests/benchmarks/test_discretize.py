from __future__ import annotations

import itertools

import pytest
from ConfigSpace import (
    AndConjunction,
    CategoricalHyperparameter,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    GreaterThanCondition,
    InCondition,
    LessThanCondition,
    OrConjunction,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from ConfigSpace.forbidden import (
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenGreaterThanEqualsClause,
    ForbiddenInClause,
    ForbiddenLessThanRelation,
    ForbiddenOrConjunction,
)

from benchmarks.lookup.discretize import configurations, finite, gridded
from benchmarks.toy import Toy
from harness.errors import SettingError
from harness.validity import Checker


def number(name, low, high, default, log=False):
    kind = UniformIntegerHyperparameter if isinstance(default, int) else UniformFloatHyperparameter
    return kind(name, low, high, default, log=log, meta={"description": name})


def space(*parts):
    made = ConfigurationSpace(name="made")
    made.add(*parts)
    return made


@pytest.mark.parametrize(
    ("hyperparameter", "levels", "expected", "default"),
    [
        (number("x", 0.0, 1.0, 0.6), 5, [0, 0.25, 0.5, 0.75, 1], 0.5),
        (number("x", 1e-4, 1.0, 0.05, log=True), 5, [1e-4, 1e-3, 1e-2, 1e-1, 1], 0.1),
        (number("x", 1e-4, 1.0, 0.03, log=True), 5, [1e-4, 1e-3, 1e-2, 1e-1, 1], 0.01),
        (number("x", 0, 10, 5), 4, [0, 3, 7, 10], 3),
        (number("x", 1, 50, 7, log=True), 10, [1, 2, 4, 6, 9, 14, 21, 32, 50], 6),
        (number("x", 1, 3, 2), 10, [1, 2, 3], 2),
        (number("x", -1.0, 1.0, 1.0), 2, [-1, 1], 1),
    ],
)
def test_levels_are_even_on_the_own_scale_and_the_default_is_the_nearest(hyperparameter, levels, expected, default):
    grid = gridded(space(hyperparameter), levels)["x"]
    assert isinstance(grid, OrdinalHyperparameter)
    assert grid.sequence == pytest.approx(expected)
    assert (grid.sequence[0], grid.sequence[-1]) == (hyperparameter.lower, hyperparameter.upper)
    assert grid.default_value == pytest.approx(default)
    kind = int if isinstance(hyperparameter, UniformIntegerHyperparameter) else float
    assert {type(level) for level in grid.sequence} == {kind}
    assert grid.meta == {"description": "x"}


def test_levels_by_name_and_what_is_finite_stays():
    choice = CategoricalHyperparameter("kind", ["b", "a"], default_value="a", meta={"description": "kind"})
    order = OrdinalHyperparameter("size", [8, 2, 4], default_value=4)
    made = space(choice, order, Constant("c", "v"), number("x", 0.0, 1.0, 0.0), number("n", 1, 9, 1))
    before = made.to_serialized_dict()
    grid = gridded(made, {"x": 2, "n": 3})
    assert made.to_serialized_dict() == before
    assert (grid["x"].sequence, grid["n"].sequence) == ((0.0, 1.0), (1, 5, 9))
    assert grid["kind"] == choice
    assert grid["kind"].meta == choice.meta
    assert (grid["size"], grid["c"].value, grid.name) == (order, "v", "made")
    assert list(grid) == list(made)


@pytest.mark.parametrize("task", Toy.tasks)
def test_a_configuration_of_the_grid_is_one_of_the_space(task):
    problem = Toy(task).problem
    check = Checker(problem.space).check
    listed = list(configurations(gridded(problem.space, 4)))
    for params in listed:
        assert check(params) == (params, ())
    assert len({tuple(params.items()) for params in listed}) == len(listed) > 30


def test_configurations_are_all_there_are_once_and_always_in_the_same_order():
    grid = gridded(Toy("branin").problem.space, 3)
    listed = list(configurations(grid))
    xs, ys = (-5.0, 2.5, 10.0), (0.0, 7.5, 15.0)
    bumps, amplitudes = (0, 2, 5), (1e-4, 1e-2, 1.0)
    smooth = [("smooth", x, y) for x, y in itertools.product(xs, ys)]
    rough = [("rough", x, y, b) for x, y, b in itertools.product(xs, ys, bumps) if b not in (1, 2, 3)]
    bumpy = [("rough", x, y, 2, a) for x, y, a in itertools.product(xs, ys, amplitudes)]
    names = ("surface", "x1", "x2", "bumps", "amplitude")
    found = [tuple(params[name] for name in names if name in params) for params in listed]
    assert sorted(map(repr, found)) == sorted(map(repr, smooth + rough + bumpy))
    assert listed == list(configurations(gridded(Toy("branin").problem.space, 3)))
    assert all(type(value) in (bool, int, float, str) for params in listed for value in params.values())


def test_configurations_keep_forbidden_clauses_and_are_counted_like_an_odometer():
    made = space(number("a", 0, 2, 0), number("b", 0, 2, 0), CategoricalHyperparameter("c", [True, False]))
    made.add(ForbiddenLessThanRelation(made["a"], made["b"]))
    found = [tuple(params.values()) for params in configurations(made)]
    assert found == [(a, b, c) for a, b, c in itertools.product(range(3), range(3), [True, False]) if not a < b]


def test_conditions_hold_for_the_levels_they_held_for():
    n, x, kind = number("n", 0, 8, 0), number("x", 0.0, 1.0, 0.5), CategoricalHyperparameter("kind", ["a", "b", "c"])
    p, q, r = (number(name, 0.0, 1.0, 0.0) for name in "pqr")
    made = space(n, x, kind, p, q, r)
    made.add(
        AndConjunction(GreaterThanCondition(p, n, 3), LessThanCondition(p, x, 0.7)),
        OrConjunction(InCondition(q, kind, ["a", "b"]), EqualsCondition(q, n, 8)),
        EqualsCondition(r, kind, "c"),
    )
    grid = gridded(made, 3)  # n: 0, 4, 8; x: 0, 0.5, 1
    listed = list(configurations(grid))
    for params in listed:
        assert ("p" in params) == (params["n"] in (4, 8) and params["x"] in (0.0, 0.5))
        assert ("q" in params) == (params["kind"] in ("a", "b") or params["n"] == 8)
        assert ("r" in params) == (params["kind"] == "c")
    assert len({tuple(sorted(params.items())) for params in listed}) == len(listed)


def test_a_clause_that_no_level_falls_under_is_dropped():
    n, x = number("n", 0, 8, 0), number("x", 0.0, 1.0, 0.0)
    made = space(n, x)
    made.add(
        ForbiddenEqualsClause(n, 3),
        ForbiddenAndConjunction(ForbiddenInClause(n, [4, 5]), ForbiddenEqualsClause(x, 0.3)),
        ForbiddenAndConjunction(ForbiddenInClause(n, [4, 5]), ForbiddenGreaterThanEqualsClause(x, 0.8)),
        ForbiddenOrConjunction(ForbiddenEqualsClause(n, 7), ForbiddenEqualsClause(n, 8)),
    )
    grid = gridded(made, 3)
    assert len(grid.forbidden_clauses) == 2
    found = {(params["n"], params["x"]) for params in configurations(grid)}
    assert found == {(0, 0.0), (0, 0.5), (0, 1.0), (4, 0.0), (4, 0.5)}


def test_a_grid_too_coarse_for_its_conditions_says_so():
    n, p = number("n", 0, 8, 0), number("p", 0.0, 1.0, 0.0)
    made = space(n, p)
    made.add(EqualsCondition(p, n, 3))
    with pytest.raises(SettingError, match=r"p would never be active; use another number of levels\.$"):
        gridded(made, 3)
    assert gridded(made, 9)["n"].sequence == tuple(range(9))


def test_a_grid_whose_default_is_forbidden_says_so():
    n = number("n", 0, 8, 3)
    made = space(n)
    made.add(ForbiddenEqualsClause(n, 4))
    with pytest.raises(SettingError, match=r"the default of made is forbidden .* use another number of levels\.$"):
        gridded(made, 3)


@pytest.mark.parametrize("levels", [1, 0, True, 2.5, {"x": 1}])
def test_too_few_levels(levels):
    with pytest.raises(SettingError, match=r"for x; give a whole number from 2"):
        gridded(space(number("x", 0.0, 1.0, 0.0)), levels)


def test_levels_of_an_unknown_or_forgotten_hyperparameter():
    made = space(number("width", 0.0, 1.0, 0.0))
    with pytest.raises(SettingError, match="did you mean 'width'"):
        gridded(made, {"width": 2, "widht": 2})
    with pytest.raises(SettingError, match="levels has no entry for width"):
        gridded(made, {})


def test_finite_and_what_is_not():
    integers = space(number("n", -1, 1, 0), Constant("c", 1.5))
    assert finite(integers)
    assert list(configurations(integers)) == [{"c": 1.5, "n": n} for n in (-1, 0, 1)]
    endless = space(number("n", -1, 1, 0), number("x", 0.0, 1.0, 0.0))
    assert not finite(endless)
    with pytest.raises(SettingError, match="infinitely many configurations, since x"):
        configurations(endless)
