"""probe.responses=permuted: the losses of a finite space assigned at random, so that nothing known of it helps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    OrdinalHyperparameter,
    UniformIntegerHyperparameter,
)

from benchmarks.lookup.discretize import configurations, finite
from harness.choices import place_in, values_of
from harness.errors import SettingError
from harness.problem import Params

MOST = 2_000_000
MOST_CONDITIONAL = 200_000
"""Fewer where conditions or clauses make it necessary to list the configurations one by one."""


class Permutation:
    """A configuration -> another one, each exactly once, by chance; the same one whenever it is asked.

    Args:
        space: The true one; read, never changed.
        generator: The only source of randomness.

    Raises:
        SettingError: The space has infinitely many configurations, or too many.
    """

    def __init__(self, space: ConfigurationSpace, generator: np.random.Generator) -> None:
        flat = not space.conditions and not space.forbidden_clauses
        _refuse_endless(space, MOST if flat else MOST_CONDITIONAL)
        self._places: _Odometer | _List = _Odometer(space) if flat else _List(space)
        self._order = generator.permutation(self._places.count)

    def __call__(self, params: Params) -> Params:
        """The configuration whose outcome this one has.

        Args:
            params: As the check of the space returns it.
        """
        return self._places.configuration(int(self._order[self._places.number(params)]))


def equally_likely(space: ConfigurationSpace) -> bool:
    """Whether random search draws every configuration as often, so that it does not notice a permutation."""
    return not space.conditions and all(_uniform(each) for each in space.values())


class _Odometer:
    """Configurations of a space without conditions and clauses, numbered without listing them."""

    def __init__(self, space: ConfigurationSpace) -> None:
        self._values = {name: values_of(each) for name, each in space.items()}
        self._place = {name: place_in(each) for name, each in space.items()}
        self.count = math.prod(len(found) for found in self._values.values())

    def number(self, params: Params) -> int:
        number = 0
        for name, values in self._values.items():
            number = number * len(values) + self._place[name](params[name])
        return number

    def configuration(self, number: int) -> Params:
        params: Params = {}
        for name in reversed(self._values):
            number, digit = divmod(number, len(self._values[name]))
            params[name] = self._values[name][digit]
        return {name: params[name] for name in self._values}


class _List:
    """Configurations of any finite space, one by one."""

    def __init__(self, space: ConfigurationSpace) -> None:
        self._all = list(configurations(space))
        self._place = {name: place_in(each) for name, each in space.items()}
        self._numbers = {self._places(params): number for number, params in enumerate(self._all)}
        self.count = len(self._all)

    def number(self, params: Params) -> int:
        return self._numbers[self._places(params)]

    def _places(self, params: Params) -> tuple[int | None, ...]:
        return tuple(place(params[name]) if name in params else None for name, place in self._place.items())

    def configuration(self, number: int) -> Params:
        return dict(self._all[number])


def _uniform(hyperparameter: Hyperparameter[Any, Any]) -> bool:
    if isinstance(hyperparameter, CategoricalHyperparameter):
        return hyperparameter.weights is None
    if isinstance(hyperparameter, UniformIntegerHyperparameter):
        return not hyperparameter.log
    return isinstance(hyperparameter, OrdinalHyperparameter | Constant)


def _refuse_endless(space: ConfigurationSpace, most: int) -> None:
    where = space.name or "the space"
    if not finite(space):
        names = ", ".join(name for name, each in space.items() if not math.isfinite(each.size))
        raise SettingError(
            f"probe.responses=permuted assigns losses of a finite space anew, and {where} has no end ({names} can be "
            "any number of a range); lay a grid over it with benchmark.space=grid or benchmark.levels=5, whichever the "
            "benchmark has, or take another probe."
        )
    count = math.prod(int(each.size) for each in space.values())
    if count > most:
        raise SettingError(
            f"probe.responses=permuted assigns the losses of at most {most:,} configurations and {where} has up to "
            f"{count:,}; take fewer levels, or another probe."
        )
