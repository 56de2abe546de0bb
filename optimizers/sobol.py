"""Sobol sequence: points that cover the space more evenly than random ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from harness.budget import Budget
from harness.problem import Problem
from harness.trial import Proposal, Proposer, Trial
from optimizers.shared.unit_cube import UnitCube


class Sobol:
    """A scrambled Sobol sequence (Sobol' 1967; scrambled as in Matousek 1998) mapped from the unit cube to the space.

    One coordinate per hyperparameter that is not constant; the coordinate of an inactive one is ignored, so
    that two points may give one configuration. A point whose configuration is forbidden is skipped. Numbers
    are spread evenly on their own scale, levels and choices get equal shares. Use: ``python -m harness.run
    optimizer=sobol``.

    Departure: weights of the space are ignored.

    Args:
        problem: Its space is read.
        seed: Seeds the scrambling.
        budget: Not used: the sequence does not depend on it.
    """

    multi_objective: ClassVar[bool] = True

    def __init__(self, problem: Problem, seed: int, budget: Budget) -> None:
        from scipy.stats import qmc

        self._cube = UnitCube(problem.space)
        self._sequence = qmc.Sobol(self._cube.dimensions, scramble=True, seed=np.random.default_rng(seed))

    def ask(self) -> Proposal:
        """The configuration at the next point that is allowed."""
        while (params := self._cube.params(self._sequence.random(1)[0])) is None:
            pass
        return Proposal(dict(params), proposer=Proposer.RANDOM)

    def tell(self, trial: Trial) -> None:
        """No learning."""
