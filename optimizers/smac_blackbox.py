"""SMAC3 for black-box functions: Bayesian optimization with a Gaussian process."""

from __future__ import annotations

from harness.budget import Budget
from harness.problem import Problem
from harness.trial import Proposal
from optimizers.shared.smac_facade import Aggregation, Facade


class SMACBlackbox(Facade):
    """SMAC3's BlackBoxFacade (Lindauer et al. 2022, "SMAC3", JMLR 23).

    Settings are the facade's own: a Gaussian process (Matern 5/2 for numbers and ordinals, Hamming for categories,
    learned noise, kernel parameters of highest posterior density) on standardized costs, refitted after each trial;
    expected improvement; a Sobol initial design of eight configurations per hyperparameter, at most a quarter of the
    planned trials; 8.4 % of the proposals random. Use: ``python -m harness.run optimizer=smac_blackbox``.

    Departures: ``optimizers.shared.smac_facade``. Linear algebra uses one thread: with a matrix row per trial several
    are slower, and results may depend on their number.

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
        from smac import BlackBoxFacade  # slow to import: for SMAC runs only
        from threadpoolctl import ThreadpoolController  # comes with scikit-learn

        n_trials = budget.trials or trials_without_limit
        super().__init__(BlackBoxFacade, problem, seed, n_trials, multi_objective=multi_objective)
        self._threads = ThreadpoolController()  # after the import of the libraries it controls

    def ask(self) -> Proposal:
        """SMAC's next configuration."""
        with self._threads.limit(limits=1):
            return super().ask()
