"""TPE: Bayesian optimization with one Parzen estimator of good and one of bad configurations."""

from __future__ import annotations

from harness.budget import Budget
from harness.problem import Problem
from optimizers.shared.optuna_study import OptunaStudy


class TPE(OptunaStudy):
    """TPE (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"; Watanabe 2023), Optuna's TPESampler.

    Section 4 of the first, with the components that the second ("Tree-Structured Parzen Estimator: Understanding Its
    Algorithm Components") describes. Optuna 5's defaults: 10 random trials, drawn uniformly on each hyperparameter's
    scale, then the best of 24 candidates. With several objectives Optuna splits good from bad by non-dominated sorting,
    and the last rank by hypervolume (Ozaki et al. 2020, "Multiobjective Tree-structured Parzen Estimator for
    Computationally Expensive Optimization Problems"). Use: ``python -m harness.run optimizer=tpe``.

    Departure from Optuna 5: one Parzen estimator per hyperparameter, as in the first paper and in Optuna up to version
    4, since it supports conditions; ``multivariate`` is Optuna 5's joint one.

    Spaces and failures: ``optimizers.shared.optuna_study``.

    Args:
        problem: Its space is read; all its objectives are minimized.
        seed: Optuna's seed.
        budget: Not used.
        startup_trials: Number of evaluated trials by any proposer before the estimators are used.
        candidates: Draws from the good estimator; the one of best ratio is proposed.
        multivariate: One joint estimator of the hyperparameters that all trials share.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        startup_trials: int = 10,
        candidates: int = 24,
        multivariate: bool = False,
    ) -> None:
        from optuna.samplers import TPESampler

        sampler = TPESampler(
            seed=seed, n_startup_trials=startup_trials, n_ei_candidates=candidates, multivariate=multivariate
        )
        super().__init__(problem, seed, sampler, "TPE")
        self._startup_trials = startup_trials

    def _is_random(self) -> bool:
        """As in Optuna: all told trials count, including failed ones and those of a start."""
        return self._told < self._startup_trials
