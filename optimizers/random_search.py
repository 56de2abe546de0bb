"""Random search: the baseline of all comparisons."""

from __future__ import annotations

from typing import ClassVar

from harness.budget import Budget
from harness.problem import Problem
from harness.trial import Proposal, Proposer, Trial
from optimizers.shared.draws import Draws


class RandomSearch:
    """Independent draws from the space's own distribution, with replacement (Bergstra and Bengio 2012, section 2).

    Paper: "Random Search for Hyper-Parameter Optimization" (JMLR 13). Use: ``python -m harness.run
    optimizer=random_search``.

    Args:
        problem: Its space is copied and seeded.
        seed: Seeds the copy.
        budget: Not used: the draws do not depend on it.
    """

    multi_objective: ClassVar[bool] = True

    def __init__(self, problem: Problem, seed: int, budget: Budget) -> None:
        self._draws = Draws(problem.space, seed)

    def ask(self) -> Proposal:
        """A new draw."""
        return Proposal(dict(self._draws.next()), proposer=Proposer.RANDOM)

    def tell(self, trial: Trial) -> None:
        """No learning."""
