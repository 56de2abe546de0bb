"""SMAC3: Bayesian optimization with a random-forest surrogate."""

from __future__ import annotations

from harness.budget import Budget
from harness.problem import Problem
from optimizers.shared.smac_facade import Aggregation, Facade


class SMAC(Facade):
    """SMAC3's HyperparameterOptimizationFacade (Lindauer et al. 2022, "SMAC3", JMLR 23).

    Settings are the facade's own: random forest on logged costs, log expected improvement, a Sobol initial design of
    at most a quarter of the planned trials, a fifth of the proposals random. The facade scales costs by their spread,
    so losses may be negative. Use: ``python -m harness.run optimizer=smac``.

    Departures: ``optimizers.shared.smac_facade``.

    Args:
        problem: Its space is copied; all its objectives are minimized.
        seed: SMAC's seed.
        budget: Used by SMAC's planning: another number of trials changes the proposals.
        trials_without_limit: Planned trials if the budget limits neither proposals nor evaluations.
        multi_objective: How several objectives are combined, "parego" or "mean" (``optimizers.shared.smac_facade``).
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        trials_without_limit: int = 100,
        multi_objective: Aggregation = "parego",
    ) -> None:
        from smac import HyperparameterOptimizationFacade  # slow to import: for SMAC runs only

        n_trials = budget.trials or trials_without_limit
        super().__init__(HyperparameterOptimizationFacade, problem, seed, n_trials, multi_objective=multi_objective)
