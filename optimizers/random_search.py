"""Random search: the control every claim is measured against."""

from __future__ import annotations

import copy
from collections import deque

from ConfigSpace import Configuration

from harness.budget import Budget
from harness.check import builtin
from harness.problem import Problem
from harness.trial import Proposal, Trial

BATCH = 64


class RandomSearch:
    """Independent draws from the space's own distribution, with replacement (Bergstra and Bengio 2012, section 2).

    Args:
        problem: Its space is copied and seeded.
        seed: Seeds the copy.
        budget: Not used: the draws do not depend on how many there will be.
    """

    def __init__(self, problem: Problem, seed: int, budget: Budget) -> None:
        self._space = copy.deepcopy(problem.space)
        self._space.seed(seed)
        self._drawn: deque[Configuration] = deque()

    def ask(self) -> Proposal:
        """A fresh draw. Drawn in batches of a fixed size: ConfigSpace is ten times faster that way."""
        if not self._drawn:
            self._drawn.extend(self._space.sample_configuration(BATCH))
        return Proposal({name: builtin(value) for name, value in self._drawn.popleft().items()})

    def tell(self, trial: Trial) -> None:
        """Nothing is learned."""
