"""TPE: Bayesian optimization with Parzen estimators, one of good and one of bad configurations."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any

from ConfigSpace.hyperparameters import CategoricalHyperparameter, Constant, FloatHyperparameter, OrdinalHyperparameter
from ConfigSpace.types import NotSet

from harness.budget import Budget
from harness.check import Checker, builtin
from harness.problem import Params, Problem
from harness.trial import Proposal, Trial
from optimizers.draws import Draws

TRIES = 100
"""Forbidden draws in one ask before a random configuration is taken instead."""


class TPE:
    """Optuna's TPESampler (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"; Watanabe 2023).

    Section 4 of the first, with the components that the second ("Tree-Structured Parzen Estimator: Understanding Its
    Algorithm Components") describes. Optuna 5's defaults: 10 random trials, then the best of 24 candidates. One default
    differs: a Parzen estimator for each hyperparameter by itself, as in the first paper and as Optuna did up to version
    4, since it knows conditions; ``multivariate`` is Optuna 5's joint one.

    Only active hyperparameters are suggested, parents first; the first 10 trials are drawn uniformly on each
    hyperparameter's scale. A level of an ordinal is an integer, a constant is not suggested. A forbidden configuration
    is drawn again, and after 100 in one ask a random one is proposed (its note says so).

    Departure: Optuna forgets failed evaluations; here one ranks behind every success (TPE needs ranks, not losses).

    Args:
        problem: Its space is read; its first objective is minimized.
        seed: Optuna's seed.
        budget: Not used.
        startup_trials: Evaluated trials, whoever proposed them, before the estimators are used.
        candidates: Draws from the good estimator, of which the one of best ratio is proposed.
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
        self._objective = problem.objectives[0]
        self._space = space = problem.space
        self._order = list(TopologicalSorter({n: [p.name for p in space.parents_of[n]] for n in space}).static_order())
        self._distributions = {n: _distribution(hp) for n, hp in space.items() if not isinstance(hp, Constant)}
        self._levels = {name: _levels(hp) for name, hp in space.items()}
        self._checker, self._draws = Checker(space), Draws(space, seed)
        self._study = _study(seed, startup_trials, candidates, multivariate)

    def ask(self) -> Proposal:
        """TPE's next configuration."""
        for _ in range(TRIES):
            params = self._suggested()
            if not self._checker.check(params)[1]:
                return Proposal(params)
        return Proposal(dict(self._draws.next()), note=f"random: {TRIES} suggestions of TPE were forbidden")

    def tell(self, trial: Trial) -> None:
        """Learn from what was executed, whoever proposed it; nothing from a proposal that was not."""
        from optuna.trial import create_trial

        if trial.params is None:
            return
        # TPE splits trials by rank alone, so that a failure needs no number but infinity.
        loss = float("inf") if trial.outcome is None else trial.outcome.losses[self._objective.name]
        suggested = {name: value for name, value in trial.params.items() if name in self._distributions}
        inner = {name: self._index(name, value) for name, value in suggested.items()}
        distributions = {name: self._distributions[name] for name in suggested}
        self._study.add_trial(create_trial(params=inner, distributions=distributions, value=loss))

    def _suggested(self) -> Params:
        """One draw, forbidden or not. Optuna's trial serves the draw only: what came of it is added by ``tell``."""
        from optuna.trial import TrialState

        trial = self._study.ask()
        values: dict[str, Any] = dict.fromkeys(self._space, NotSet)
        for name in self._order:
            if all(condition.satisfied_by_value(values) for condition in self._space.parent_conditions_of[name]):
                values[name] = self._value(trial, name)
        self._study.tell(trial, state=TrialState.FAIL)
        return {name: values[name] for name in self._space if values[name] is not NotSet}

    def _value(self, trial: Any, name: str) -> Any:
        levels = self._levels[name]
        if name not in self._distributions:
            return levels[0]
        inner: Any = _suggest(trial, name, self._distributions[name])
        return levels[inner] if levels else inner

    def _index(self, name: str, value: Any) -> Any:
        """A value as Optuna holds it: levels by their index, whatever their types, numbers as they are."""
        return self._levels[name].index(value) if self._levels[name] else value


def _study(seed: int, startup_trials: int, candidates: int, multivariate: bool) -> Any:
    """An empty study in memory."""
    import optuna

    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=startup_trials, n_ei_candidates=candidates, multivariate=multivariate
    )
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a new study is announced on the terminal; nothing else is
    try:
        return optuna.create_study(sampler=sampler)
    finally:
        optuna.logging.set_verbosity(verbosity)


def _levels(hyperparameter: Any) -> list[Any]:
    """The values a hyperparameter can take, one by one; empty for a range of numbers."""
    if isinstance(hyperparameter, Constant):
        return [builtin(hyperparameter.value)]
    if isinstance(hyperparameter, OrdinalHyperparameter):
        return [builtin(level) for level in hyperparameter.sequence]
    if isinstance(hyperparameter, CategoricalHyperparameter):
        return [builtin(choice) for choice in hyperparameter.choices]
    return []


def _distribution(hyperparameter: Any) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(hyperparameter, CategoricalHyperparameter):
        return CategoricalDistribution(tuple(range(len(hyperparameter.choices))))
    if isinstance(hyperparameter, OrdinalHyperparameter):
        return IntDistribution(0, len(hyperparameter.sequence) - 1)
    kind = FloatDistribution if isinstance(hyperparameter, FloatHyperparameter) else IntDistribution
    lower, upper = builtin(hyperparameter.lower), builtin(hyperparameter.upper)
    return kind(lower, upper, log=getattr(hyperparameter, "log", False))


def _suggest(trial: Any, name: str, distribution: Any) -> int | float:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(distribution, CategoricalDistribution):
        return int(trial.suggest_categorical(name, distribution.choices))
    if isinstance(distribution, FloatDistribution):
        return float(trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log))
    return int(trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log))
