"""Ask-and-tell wrapper of Optuna's samplers, shared by ``tpe`` and ``nsga2``."""

from __future__ import annotations

import math
from graphlib import TopologicalSorter
from typing import Any, ClassVar

from ConfigSpace.hyperparameters import CategoricalHyperparameter, Constant, FloatHyperparameter, OrdinalHyperparameter
from ConfigSpace.types import NotSet

from harness.choices import Choices, builtin, has_choices
from harness.problem import Params, Problem
from harness.trial import Proposal, Proposer, Trial
from harness.validity import Checker
from optimizers.shared.draws import Draws

TRIES = 100
"""Number of forbidden suggestions in one ask before a random configuration is used instead."""


class OptunaStudy:
    """A study with one sampler, asked and told one trial at a time; all objectives of the problem are minimized.

    Only active hyperparameters are suggested, parents first, so that for a sampler the search space
    differs from trial to trial. An ordinal is suggested as an integer index, a constant is not suggested. A forbidden
    configuration is suggested again, and after 100 in one ask a random one is proposed (see its note).

    Departure: Optuna ignores failed evaluations; here a failure ranks behind every success (its samplers need ranks and
    dominance, not losses).

    Args:
        problem: Its space is read.
        seed: Seeds the random configurations used after forbidden suggestions.
        sampler: Optuna's sampler, already seeded.
        name: Name of the method, for a proposal's note.
    """

    multi_objective: ClassVar[bool] = True

    def __init__(self, problem: Problem, seed: int, sampler: Any, name: str) -> None:
        self._objectives = [objective.name for objective in problem.objectives]
        self._space = space = problem.space
        self._order = list(TopologicalSorter({n: [p.name for p in space.parents_of[n]] for n in space}).static_order())
        self._distributions = {n: _distribution(hp) for n, hp in space.items() if not isinstance(hp, Constant)}
        self._choices = {name: Choices(hp) for name, hp in space.items() if has_choices(hp)}
        self._checker, self._draws = Checker(space), Draws(space, seed)
        self._study = _study(sampler, len(self._objectives))
        self._name = name
        self._attributes: dict[str, Any] = {}
        self._told = 0

    def ask(self) -> Proposal:
        """The sampler's next configuration."""
        for _ in range(TRIES):
            params = self._suggested()
            if not self._checker.check(params)[1]:
                return Proposal(params, proposer=Proposer.RANDOM if self._is_random() else Proposer.CLASSICAL)
        note = f"random: {TRIES} suggestions of {self._name} were forbidden"
        return Proposal(dict(self._draws.next()), note=note, proposer=Proposer.RANDOM)

    def _is_random(self) -> bool:
        """Whether the last suggestion was drawn without regard to results."""
        raise NotImplementedError

    def tell(self, trial: Trial) -> None:
        """Learn from what was executed, independent of its proposer; proposals that were not executed are ignored."""
        from optuna.trial import create_trial

        if trial.params is None:
            return
        losses = trial.outcome.losses if trial.outcome is not None else dict.fromkeys(self._objectives, math.inf)
        suggested = {name: value for name, value in trial.params.items() if name in self._distributions}
        told = create_trial(
            params={name: self._index(name, value) for name, value in suggested.items()},
            distributions={name: self._distributions[name] for name in suggested},
            values=[losses[name] for name in self._objectives],
            system_attrs=self._attributes,
        )
        self._study.add_trial(told)
        self._told += 1

    def _suggested(self) -> Params:
        """One suggestion, possibly forbidden. Optuna's trial is used for it only: the result is added by ``tell``.

        Attributes that a sampler sets at its trial are kept for the told one: NSGA-II counts its generations that way.
        """
        from optuna.trial import TrialState

        trial = self._study.ask()
        values: dict[str, Any] = dict.fromkeys(self._space, NotSet)
        for name in self._order:
            if all(condition.satisfied_by_value(values) for condition in self._space.parent_conditions_of[name]):
                values[name] = self._value(trial, name)
        self._attributes = self._study.tell(trial, state=TrialState.FAIL).system_attrs
        return {name: values[name] for name in self._space if values[name] is not NotSet}

    def _value(self, trial: Any, name: str) -> Any:
        if name not in self._distributions:
            return self._choices[name].value(0)
        inner: Any = _suggest(trial, name, self._distributions[name])
        return self._choices[name].value(inner) if name in self._choices else inner

    def _index(self, name: str, value: Any) -> Any:
        """A value in Optuna's form: the index of a level of any type, numbers unchanged."""
        return self._choices[name].place(value) if name in self._choices else value


def _study(sampler: Any, objectives: int) -> Any:
    """An empty study in memory."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a new study is announced on the terminal; nothing else is
    try:
        return optuna.create_study(sampler=sampler, directions=["minimize"] * objectives)
    finally:
        optuna.logging.set_verbosity(verbosity)


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
