"""CMA-ES: an evolution strategy that adapts the mean, the step size and the covariance of a normal distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.budget import Budget
from harness.errors import SettingError
from harness.problem import Params, Problem
from harness.trial import Proposal, Proposer, Trial
from optimizers.shared.draws import Draws
from optimizers.shared.unit_cube import MIDDLE, Point, UnitCube

SIGMA = 1 / 6
"""Optuna's initial step size: three standard deviations reach from the middle to a bound."""
SMALLEST_POPULATION = 4
"""With fewer, the learning rate of the covariance matrix is zero and its weights divide by it."""
TRIES = 100
"""Number of forbidden draws in one ask before a random configuration is used instead."""


@dataclass(frozen=True, slots=True)
class SearchDistribution:
    """The search distribution of CMA-ES, N(mean, sigma^2 covariance) on the unit cube.

    Attributes:
        names: Names of the d coordinates, in order.
        mean: Shape (d,), each coordinate in [0, 1].
        configuration: The configuration at the mean; None if it is forbidden.
        sigma: Step size.
        covariance: Shape (d, d).
    """

    names: tuple[str, ...]
    mean: Point
    configuration: Params | None
    sigma: float
    covariance: npt.NDArray[np.float64]


class CMAES:
    """CMA-ES (Hansen 2016, "The CMA Evolution Strategy: A Tutorial") from the cmaes library (Nomura and Shibata 2024).

    Set up as in Optuna's CmaEsSampler: on the unit cube, mean in the middle, sigma 1/6, a population of
    4 + floor(3 ln d), points outside the cube drawn again (at most 10 d times, then moved to the bound). A proposal is
    pending until it was executed, and is proposed again after a trial that was not. If another configuration was
    executed (a repair, Centaur's override), it replaces the pending point in the population, except in coordinates that
    it lacks; an executed proposal counts as drawn, unrounded. Use: ``python -m harness.run optimizer=cma_es``.

    Departures from Optuna:

    * There is no random first trial. Categorical hyperparameters are coordinates (``UnitCube``), not drawn at random.
    * After ``should_stop`` (no further progress) it restarts with the same width from a random mean and a new seed.
    * A start (``start=default``) belongs to no population, since its points were not drawn: the first mean is the best
      configuration told before the first ask, if one was evaluated successfully.
    * A failed evaluation counts as the worst loss so far; a population that failed entirely before any success is
      dropped.
    * A forbidden point is drawn again, and after 100 in one ask a random configuration is proposed (see its note).

    Args:
        problem: Its space is read; its first objective is minimized.
        seed: Seeds one generator, from which each restart's seed and mean are drawn.
        budget: Not used.
        sigma: Initial step size, in widths of the cube.
        population: Trials per generation; None for 4 + floor(3 ln d).

    Raises:
        SettingError: All hyperparameters are constant, or a setting is out of its range.
    """

    def __init__(
        self, problem: Problem, seed: int, budget: Budget, *, sigma: float = SIGMA, population: int | None = None
    ) -> None:
        self._objective, self._cube = problem.objectives[0], UnitCube(problem.space)
        if not self._cube.dimensions:
            raise SettingError(f"Every hyperparameter of {problem.name} is constant; cma_es needs one that varies.")
        if sigma <= 0:
            raise SettingError(f"optimizer.sigma is {sigma}; give a positive number, e.g. {SIGMA:.3f}.")
        if population is not None and population < SMALLEST_POPULATION:
            raise SettingError(f"optimizer.population is {population}; give at least {SMALLEST_POPULATION}, or null.")
        self._sigma, self._population_size = sigma, population
        self._rng = np.random.default_rng(seed)
        self._draws = Draws(problem.space, seed)
        self._cma: Any = None
        self._start: tuple[float, Params] | None = None
        self._pending: tuple[Point, Proposal] | None = None
        self._population: list[tuple[Point, float | None]] = []
        self._worst: float | None = None

    @property
    def distribution(self) -> SearchDistribution:
        """The distribution of the next point; available from the first ask on."""
        mean = np.array(self._cma.mean)
        sigma, covariance = float(self._cma._sigma), np.array(self._cma._C)
        return SearchDistribution(self._cube.names, mean, self._cube.params(mean), sigma, covariance)

    def ask(self) -> Proposal:
        """The pending point; a new one, if the last was executed."""
        if self._cma is None:
            middle = np.full(self._cube.dimensions, MIDDLE)
            self._cma = self._begun(middle if self._start is None else self._cube.point(self._start[1]))
        if self._pending is None:
            self._pending = self._drawn()
        return self._pending[1]

    def tell(self, trial: Trial) -> None:
        """Put what was executed into the population, in place of the pending point; a full one updates the mean."""
        if trial.params is None:
            return
        loss = None if trial.outcome is None else trial.outcome.losses[self._objective.name]
        if loss is not None:
            self._worst = loss if self._worst is None else max(loss, self._worst)
        if self._pending is None:
            if loss is not None and (self._start is None or loss < self._start[0]):
                self._start = (loss, trial.params)
            return
        point, proposal = self._pending
        executed = point if trial.params == proposal.params else self._moved(point, trial.params)
        self._population.append((executed, loss))
        self._pending = None
        if len(self._population) == self._cma.population_size:
            self._advance()

    def _begun(self, mean: Point) -> Any:
        from cmaes import CMA

        dimensions = self._cube.dimensions
        return CMA(
            np.clip(mean, 0.0, 1.0),  # the library refuses a mean that rounding put just outside
            self._sigma,
            bounds=np.tile([0.0, 1.0], (dimensions, 1)),
            n_max_resampling=10 * dimensions,
            seed=int(self._rng.integers(2**31)),
            population_size=self._population_size,
        )

    def _drawn(self) -> tuple[Point, Proposal]:
        for _ in range(TRIES):
            point = self._cma.ask()
            if (params := self._cube.params(point)) is not None:
                return point, Proposal(dict(params), proposer=Proposer.CLASSICAL)
        params = self._draws.next()
        note = f"random: {TRIES} points of CMA-ES were forbidden"
        return self._cube.point(params), Proposal(dict(params), note=note, proposer=Proposer.RANDOM)

    def _moved(self, point: Point, params: Params) -> Point:
        silent = [name not in params for name in self._cube.names]
        return np.where(silent, point, self._cube.point(params))

    def _advance(self) -> None:
        """Tell the population, failures at the worst loss so far; without any success there is no ranking."""
        population, self._population = self._population, []
        if self._worst is None:
            return
        self._cma.tell([(point, self._worst if loss is None else loss) for point, loss in population])
        if self._cma.should_stop():
            self._cma = self._begun(self._rng.random(self._cube.dimensions))
