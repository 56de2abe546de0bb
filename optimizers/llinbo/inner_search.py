"""Maximize a function of the unit cube over configurations: the inner problem of Bayesian optimization."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.choices import text_of
from harness.problem import Params, Problem
from optimizers.shared.draws import Draws
from optimizers.shared.unit_cube import Point, UnitCube

Array = npt.NDArray[np.float64]
Function = Callable[[Array], Array]

SOBOL_EXPONENT = 8
"""2^8 = 256 points of a scrambled Sobol sequence."""
DRAWS = 32
"""Number of draws from the space's own distribution, which are valid even if much of the cube is forbidden."""
PARENTS, CHILDREN = 5, 20
WIDE, NARROW = 0.1, 0.02
"""Standard deviations of the steps to neighbours, in unit coordinates."""
JUMP = 0.1
"""Probability that a coordinate of a neighbour is uniform, since small steps never change a categorical level."""


@dataclass(frozen=True, slots=True)
class Found:
    """A valid configuration, its point and the function's value there."""

    params: Params
    point: Point
    value: float


class InnerSearch:
    """Random search with local refinement over valid configurations.

    Candidates are Sobol points, draws from the space and neighbours of good points; then neighbours of the best of
    those. Each is mapped to a configuration and back first, to evaluate the function at a configuration's point.

    Args:
        problem: Its space.
        seed: Seeds one generator.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self._cube = UnitCube(problem.space)
        self._rng = np.random.default_rng(seed)
        self._draws = Draws(problem.space, seed)

    def maximize(self, function: Function, good: Sequence[Point], avoid: Iterable[Params] = ()) -> Found:
        """The best candidate.

        Args:
            function: Points, shape (points, dimensions) -> values, shape (points,).
            good: Points to search nearby, best first; the first few are used and are candidates themselves.
            avoid: Configurations to avoid; used only if there are no others.
        """
        from scipy.stats import qmc

        unwanted = {text_of(params) for params in avoid}
        sobol = qmc.Sobol(self._cube.dimensions, rng=self._rng).random_base2(SOBOL_EXPONENT)
        drawn = [self._cube.point(self._draws.next()) for _ in range(DRAWS)]
        parents = list(good[:PARENTS])
        wide = self._judged([*sobol, *drawn, *parents, *self._children(parents, WIDE)], function)
        best = sorted(wide, key=lambda found: -found.value)[:PARENTS]
        narrow = self._judged(self._children([found.point for found in best], NARROW), function)
        candidates = wide + narrow
        wanted = [found for found in candidates if text_of(found.params) not in unwanted]
        return max(wanted or candidates, key=lambda found: found.value)

    def _children(self, parents: Sequence[Point], step: float) -> list[Point]:
        """Neighbours of each parent, some of them possibly invalid."""
        children = []
        for parent in parents:
            near = parent + step * self._rng.standard_normal((CHILDREN, len(parent)))
            jumps = self._rng.random(near.shape) < JUMP
            children += list(np.where(jumps, self._rng.random(near.shape), near))
        return children

    def _judged(self, points: Sequence[Point], function: Function) -> list[Found]:
        """The valid points, with the function's values."""
        valid = [params for params in map(self._cube.params, points) if params is not None]
        if not valid:
            return []
        snapped = np.array([self._cube.point(params) for params in valid])
        values = function(snapped)
        return [Found(*one) for one in zip(valid, snapped, map(float, values), strict=True)]
