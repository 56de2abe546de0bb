from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer, OrdinalHyperparameter

from harness.problem import Objective, Problem
from optimizers.chat.told_space import ToldSpace
from optimizers.hollm.cell_space import CellSpace
from optimizers.hollm.partition import Cell, annealed, drawn, leaf_cells, leaf_size, scores
from optimizers.shared.unit_cube import UnitCube
from tests.support.fakes import VALID, rich_space

THREE = [
    Cell(np.array([0.0]), np.array([0.25]), np.array([0, 1])),
    Cell(np.array([0.25]), np.array([0.75]), np.array([2])),
    Cell(np.array([0.75]), np.array([1.0]), np.array([3])),
]
VALUES = np.array([1.0, 3.0, 2.0, 0.0])


def problem(space):
    return Problem("p", space, (Objective("loss", "minimize"),), dict(space.get_default_configuration()))


def lines(*hyperparameters, lower, upper):
    space = ConfigurationSpace()
    space.add(list(hyperparameters))
    names = UnitCube(space).names
    cell = Cell(np.full(len(names), lower), np.full(len(names), upper), np.array([0]))
    return CellSpace(problem(space), UnitCube(space), cell, ToldSpace(problem(space), "levels")).lines


def test_scores_of_three_cells_by_hand():
    """T = 12, K = 3, alpha = 0.5.

    Best values 3, 2, 0 scale to 1, 2/3, 0 and volumes 1/4, 1/2, 1/4 to 0, 1, 0. UCB-V: the first cell has n = 2,
    variance 2 and l = ln(12 / 6): sqrt(2 * 2 * 0.6931 / 2) + 0.6931 / 2 = 1.5240; the others n = 1, variance 0.01 and
    l = ln(12 / 3): sqrt(2 * 0.01 * 1.3863) + 1.3863 = 1.5528; scaled 0, 1, 1.
    """
    found = scores(THREE, VALUES, 12, 0.5)
    assert found == pytest.approx([1.0, 2 / 3 + 0.25 * 2, 0.25])


def test_the_bonus_vanishes_once_a_cell_has_its_share():
    """T / (K n) = 3 / 3 = 1 in the cells of one point and less in the first: every logarithm is 0."""
    assert scores(THREE, VALUES, 3, 1.0) == pytest.approx([1.0, 2 / 3 + 0.5, 0.0])


def test_volume_counts_as_the_side_of_a_cube():
    """Volumes 1, 0.04 and 0.36 in two dimensions have sides 1, 0.2 and 0.6, which scale to 1, 0, 0.5."""
    cells = [Cell(np.zeros(2), np.array(side), np.array([0])) for side in ([1, 1], [0.1, 0.4], [0.9, 0.4])]
    assert scores(cells, np.array([7.0]), 3, 1.0) == pytest.approx([0.5, 0.0, 0.25])


def test_cells_are_drawn_in_proportion_to_their_scores():
    rng = np.random.default_rng(0)
    first = [drawn(np.array([1.0, 7 / 6, 0.25]), 1, rng)[0] for _ in range(20_000)]
    assert np.bincount(first) / 20_000 == pytest.approx([12 / 29, 14 / 29, 3 / 29], abs=0.015)


def test_cells_are_drawn_without_replacement_even_where_scores_are_zero():
    rng = np.random.default_rng(0)
    assert {tuple(sorted(drawn(np.array([1.0, 0.0, 0.0]), 2, rng))) for _ in range(50)} == {(0, 1), (0, 2)}
    assert drawn(np.zeros(3), 5, rng) == [0, 1, 2]


def test_exploration_is_annealed_by_half_a_cosine():
    assert [annealed(step, 20, 1.0, 0.1) for step in (0, 5, 10, 20, 40)] == pytest.approx(
        [1.0, 0.55 + 0.45 * 0.5**0.5, 0.55, 0.1, 0.1]
    )


def test_the_size_of_a_leaf():
    assert [leaf_size(d, 50, 0.5, 0.0) for d in (1, 2, 5, 8)] == [1, 1, 2, 4]
    assert leaf_size(8, 50, 0.5, 2.0) == 4 + 8  # 2 ln(51) = 7.86


def test_the_leaves_of_four_points_by_hand():
    cells = leaf_cells(np.array([[0.1], [0.2], [0.6], [0.9]]), 1)
    found = [(cell.lower[0], cell.upper[0], list(cell.members)) for cell in cells]
    # The widest side of what is in a cell is halved: 0.1..0.9, then 0.1..0.2 and 0.6..0.9.
    assert found == [
        (0.0, pytest.approx(0.15), [0]),
        (pytest.approx(0.15), 0.5, [1]),
        (0.5, 0.75, [2]),
        (0.75, 1.0, [3]),
    ]


@pytest.mark.parametrize("most", [1, 3])
def test_leaves_tile_the_cube_and_hold_their_points(most):
    rng = np.random.default_rng(1)
    points = np.vstack([rng.random((40, 3)), rng.integers(0, 2, (10, 3)) * 0.5 + 0.25])
    cells = leaf_cells(points, most)
    assert sum(cell.volume for cell in cells) == pytest.approx(1.0)
    assert sorted(i for cell in cells for i in cell.members) == list(range(50))
    for cell in cells:
        assert (points[cell.members] >= cell.lower).all()
        assert (points[cell.members] <= cell.upper).all()
        assert len(cell.members) <= most or len(np.unique(points[cell.members], axis=0)) == 1
    for probe in rng.random((200, 3)):
        assert sum(bool(((cell.lower < probe) & (probe < cell.upper)).all()) for cell in cells) == 1


def test_without_points_the_cube_is_one_cell():
    assert [cell.volume for cell in leaf_cells(np.zeros((0, 2)), 1)] == [1.0]


def test_a_cell_is_told_in_the_words_of_the_space():
    kinds = (
        Float("rate", (1e-4, 1.0), log=True),
        Integer("units", (1, 9)),
        OrdinalHyperparameter("batch", [8, 16, 32, 64]),
        Categorical("flag", [True, False]),
    )
    # Log rate 1e-4..1e-2; units at 0, 1/8, ... 1; batches at 1/8, 3/8, 5/8, 7/8; flags at 1/4, 3/4.
    assert lines(*kinds, lower=0.0, upper=0.5) == [
        '"batch": one of [8, 16]',
        '"flag": one of [true]',
        '"rate": a number from 0.0001 to 0.01, log scale',
        '"units": an integer from 1 to 5',
    ]
    assert lines(Integer("units", (1, 9)), lower=0.3, upper=0.4) == ['"units": always 4']
    assert lines(Float("x", (0.0, 3.0)), lower=1 / 3, upper=0.5) == ['"x": a number from 1.0 to 1.5']
    assert lines(Float("x", (0.0, 1.0)), lower=1 / 3, upper=2 / 3) == ['"x": a number from 0.33333 to 0.66667']


def test_between_two_levels_the_nearest_is_told():
    assert lines(Categorical("flag", ["a", "b"]), lower=0.4, upper=0.6) == ['"flag": one of ["b"]']
    assert lines(Integer("bit", (0, 1)), lower=0.3, upper=0.45) == ['"bit": always 0']


def test_a_cell_binds_only_what_is_active():
    space = rich_space()
    cube = UnitCube(space)
    lower = np.array([0.9 if name == "degree" else 0.0 for name in cube.names])
    cell = CellSpace(
        problem(space), cube, Cell(lower, np.ones(len(lower)), np.array([0])), ToldSpace(problem(space), "levels")
    )
    assert cell.holds(VALID), "degree is inactive"
    assert not cell.holds(VALID | {"kernel": "poly", "degree": 2})
    assert cell.holds(VALID | {"kernel": "poly", "degree": 5, "coef0": 0.5})


def test_every_point_lies_in_its_cell_as_it_is_told():
    space = rich_space()
    cube = UnitCube(space)
    drawn_params = [dict(configuration) for configuration in space.sample_configuration(60)]
    points = np.array([cube.point(params) for params in drawn_params])
    for cell in leaf_cells(points, 2):
        told = CellSpace(problem(space), cube, cell, ToldSpace(problem(space), "levels"))
        for member in cell.members:
            assert told.holds({k: v.item() if hasattr(v, "item") else v for k, v in drawn_params[member].items()})


def test_a_cell_says_when_a_hyperparameter_is_given():
    space = rich_space()
    cube = UnitCube(space)
    cell = Cell(np.zeros(len(cube.names)), np.ones(len(cube.names)), np.array([0]))
    lines = CellSpace(problem(space), cube, cell, ToldSpace(problem(space), "levels")).lines
    assert any(line.startswith('"degree"') and line.endswith(', only given if kernel == "poly"') for line in lines)
    assert not any("only given" in line for line in lines if line.startswith(('"cost"', '"kernel"')))
