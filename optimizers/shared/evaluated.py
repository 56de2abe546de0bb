"""Executed configurations as points of the unit cube and values to maximize, for methods with a surrogate."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.problem import Params, Problem
from harness.trial import Trial
from optimizers.shared.history import History, Observation
from optimizers.shared.unit_cube import Point, UnitCube


class Evaluated:
    """All configurations executed at the highest fidelity, failures included.

    Attributes:
        cube: Map from configurations to ``points``.
        history: The same trials, as shown to a model.
    """

    def __init__(self, problem: Problem) -> None:
        self.cube = UnitCube(problem.space)
        self.history = History(problem.objectives[0])
        self._points: dict[int, Point] = {}

    def __len__(self) -> int:
        return len(self._executed())

    def add(self, trial: Trial) -> None:
        """Add a trial if something was executed; the executed configuration counts, not the proposal."""
        self.history.add(trial)
        if trial.params is not None:
            self._points[trial.index] = self.cube.point(trial.params)

    @property
    def params(self) -> list[Params]:
        """The configurations, in the order of execution."""
        return [seen.params for seen in self._executed()]

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """Shape (evaluations, dimensions)."""
        points = [self._points[seen.index] for seen in self._executed()]
        return np.array(points, dtype=np.float64).reshape(len(points), self.cube.dimensions)

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Negated losses, shape (evaluations,); failures have the worst loss so far, 0 before any success."""
        return np.array([-seen.loss for seen in self._executed()], dtype=np.float64)

    def _executed(self) -> list[Observation]:
        return self.history.executed(worst=0.0)
