"""A k-d partition of the unit cube, and scores of its cells as arms of a bandit (HOLLM, Schwanke et al. 2026)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from optimizers.shared.unit_cube import Point

VARIANCE_OF_ONE = 0.01
"""Used as the sample variance of a cell with one point."""
NEVER_ZERO = 1e-12
"""Added to every score, so that a cell with the lowest score can still be drawn."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cell:
    """An axis-parallel box and the points in it.

    Attributes:
        lower: Shape (dimensions,).
        upper: Shape (dimensions,).
        members: Row indices of the points inside.
    """

    lower: Point
    upper: Point
    members: npt.NDArray[np.intp]

    @property
    def volume(self) -> float:
        """Volume, between 0 and 1."""
        return float(np.prod(self.upper - self.lower))


def leaf_size(dimensions: int, points: int, per_dimension: float, growth: float) -> int:
    """Largest number of points in a cell: ``per_dimension * dimensions + ceil(growth * ln(1 + points))`` (>= 1)."""
    return max(1, int(per_dimension * dimensions) + math.ceil(growth * math.log1p(points)))


def leaf_cells(points: Array, most: int) -> list[Cell]:
    """The leaves of a k-d tree that splits the widest side of the points in the middle; together they fill the cube.

    Args:
        points: In the unit cube, shape (points, dimensions).
        most: Maximum number of points in a cell that is not split; points at the same place stay together.
    """
    from scipy.spatial import KDTree

    dimensions = points.shape[1]
    whole = Cell(np.zeros(dimensions), np.ones(dimensions), np.arange(len(points)))
    if len(points) == 0:
        return [whole]
    return _leaves(KDTree(points, leafsize=most, balanced_tree=False).tree, whole.lower, whole.upper)


def _leaves(node: Any, lower: Point, upper: Point) -> list[Cell]:
    if hasattr(node, "idx"):
        return [Cell(lower, upper, np.sort(node.idx))]
    below, above = upper.copy(), lower.copy()
    below[node.split_dim] = above[node.split_dim] = node.split
    return _leaves(node.less, lower, below) + _leaves(node.greater, above, upper)


def annealed(step: int, steps: int, highest: float, lowest: float) -> float:
    """Half a cosine from ``highest`` at step 0 to ``lowest`` at step ``steps`` and after."""
    return lowest + (highest - lowest) * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))


def bonus(values: Array, cells: int, trials: int) -> float:
    """UCB-V exploration term of a cell: sqrt(2 v l / n) + l / n with l = max(0, ln(T / (K n))).

    Args:
        values: Values of the n points in the cell; v is their sample variance.
        cells: K.
        trials: T.
    """
    n = len(values)
    variance = float(np.var(values, ddof=1)) if n > 1 else VARIANCE_OF_ONE
    log = max(0.0, math.log(trials / (cells * n)))
    return math.sqrt(2 * variance * log / n) + log / n


def scores(cells: Sequence[Cell], values: Array, trials: int, alpha: float) -> Array:
    """Exploitation + alpha (volume + UCB-V) / 2, each of the three scaled to [0, 1] over the cells.

    Args:
        cells: Cells with at least one point each.
        values: Values of all points, to be maximized; shape (points,).
        trials: Total number of planned evaluations.
        alpha: Weight of exploration.

    Returns:
        Shape (cells,).
    """
    best = np.array([values[cell.members].max() for cell in cells])
    volume = np.array([cell.volume ** (1 / len(cell.lower)) for cell in cells])
    ucb_v = np.array([bonus(values[cell.members], len(cells), trials) for cell in cells])
    return _scaled(best) + alpha * 0.5 * (_scaled(volume) + _scaled(ucb_v))


def drawn(scores: Array, count: int, rng: np.random.Generator) -> list[int]:
    """``count`` cells drawn without replacement, with probabilities proportional to their scores; at most all cells."""
    if count >= len(scores):
        return list(range(len(scores)))
    weights = scores + NEVER_ZERO
    return [int(i) for i in rng.choice(len(scores), size=count, replace=False, p=weights / weights.sum())]


def _scaled(numbers: Array) -> Array:
    """Min-max normalized; 0 if all are equal."""
    spread = numbers.max() - numbers.min()
    return np.zeros_like(numbers) if spread == 0 else (numbers - numbers.min()) / spread
