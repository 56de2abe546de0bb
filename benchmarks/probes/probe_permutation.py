"""probe.responses=permuted: the losses of a finite space are assigned at random, so that prior knowledge is useless."""

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
"""Limit if conditions or clauses require that all configurations are listed."""


class Permutation:
    """A random bijection of the configurations.

    Args:
        space: The true space; it is not changed.
        generator: The random generator.

    Raises:
        SettingError: The space is infinite or too large.
    """

    def __init__(self, space: ConfigurationSpace, generator: np.random.Generator) -> None:
        flat = not space.conditions and not space.forbidden_clauses
        _refuse_endless(space, MOST if flat else MOST_CONDITIONAL)
        self._places: _Odometer | _List = _Odometer(space) if flat else _List(space)
        self._order = generator.permutation(self._places.count)

    def __call__(self, params: Params) -> Params:
        """The configuration whose outcome is returned for this one.

        Args:
            params: A checked configuration.
        """
        return self._places.configuration(int(self._order[self._places.number(params)]))


def equally_likely(space: ConfigurationSpace) -> bool:
    """Whether random search draws all configurations with equal probability, so that a permutation has no effect."""
    return not space.conditions and all(_uniform(each) for each in space.values())


class _Odometer:
    """Numbers the configurations of a space without conditions and clauses, without listing them."""

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
    """Numbers the configurations of any finite space by listing them."""

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
            f"probe.responses=permuted needs a finite space, and {where} is infinite ({names} can be "
            "any number of a range); use a grid with benchmark.space=grid or benchmark.levels=5, whichever the "
            "benchmark has, or another probe."
        )
    count = math.prod(int(each.size) for each in space.values())
    if count > most:
        raise SettingError(
            f"probe.responses=permuted supports at most {most:,} configurations, and {where} has up to "
            f"{count:,}; use fewer levels, or another probe."
        )
