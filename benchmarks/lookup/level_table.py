"""A benchmark that is one table over all combinations of levels, told as a grid or as ranges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.lookup.lookup import Grid, Table
from benchmarks.lookup.nearest import Nearest
from benchmarks.shared.setting_checks import refuse_fidelity
from harness.problem import Outcome, Params, Problem


class LevelTable:
    """Looks configurations up.

    Args:
        problem: In the ranges' space where there are ranges.
        grid: The levels.
        table: With a row for each combination of levels.
        nearest: The ranges; None for the grid itself.
    """

    def __init__(self, problem: Problem, grid: Grid, table: Table, nearest: Nearest | None = None) -> None:
        self.problem = problem
        self._grid, self._table, self._nearest = grid, table, nearest

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Look one configuration up; the run's seed changes nothing.

        Raises:
            ValueError: A fidelity is given.
        """
        refuse_fidelity(fidelity, self.problem.name)
        return self._look_up(params) if self._nearest is None else self._nearest.outcome(params, self._look_up)

    def random_search_curve(self, evaluations: int) -> list[float]:
        """Exact E[lowest loss of k configurations sampled by ConfigSpace, with replacement], k = 1..evaluations."""
        return self._table.random_search_curve(self.problem.objectives[0], evaluations, self._weights())

    def loss_quantiles(self, count: int) -> list[float]:
        """Exact losses at equally spaced shares of the configurations sampled by ConfigSpace, lowest first."""
        return self._table.loss_quantiles(self.problem.objectives[0], count, self._weights())

    def _weights(self) -> NDArray[np.float64] | None:
        """How likely each row is drawn; None where all are equally likely."""
        return None if self._nearest is None else self._nearest.probabilities(self._grid.names)

    def _look_up(self, params: Params) -> Outcome:
        return self._table.outcome(self._grid.position(params), self.problem.objectives)
