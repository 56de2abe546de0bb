"""probe.space=shifted: names and ranges stay, and the optimum moves.

Each hyperparameter is rotated: a shown value is translated by an offset along the range, and wraps around from the
upper to the lower bound. Each hyperparameter therefore has one seam, where neighbouring shown values are the two ends
of the true range. A float is rotated by 20 to 80 % of its own scale; an integer, order or choice by at least one
position. A logarithmic integer is shown as a float of its range and scale, because its values are not equally likely
(``probe_scale``). Parents of conditions, hyperparameters in clauses, and weighted choices, whose rotation would affect
random search, are not rotated.

The shown default keeps its values, so its score is that of another configuration.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Hyperparameter,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from benchmarks.lookup.dependencies import in_clauses, parents
from benchmarks.probes.probe_scale import LogCounts, Scale, scale_of
from harness.levels import without_levels
from harness.problem import Scalar
from harness.shown_space import Shown, as_it_is, by_place


def shifted(space: ConfigurationSpace, generator: np.random.Generator) -> dict[str, Shown]:
    """True name -> shown form of each hyperparameter, in the space's order."""
    named = parents(space) | in_clauses(space)
    return {
        name: as_it_is(each) if name in named or not _rotates(each) else _shifted(each, generator)
        for name, each in space.items()
    }


def _rotates(hyperparameter: Hyperparameter[Any, Any]) -> bool:
    if isinstance(hyperparameter, UniformFloatHyperparameter | UniformIntegerHyperparameter):
        return True
    if isinstance(hyperparameter, CategoricalHyperparameter) and hyperparameter.weights is not None:
        return False
    return isinstance(hyperparameter, OrdinalHyperparameter | CategoricalHyperparameter) and hyperparameter.size > 1


def _shifted(old: Any, generator: np.random.Generator) -> Shown:
    scale = scale_of(old)
    if scale is not None:
        return _float(old, scale, float(generator.uniform(0.2, 0.8)))
    steps = int(generator.integers(1, int(old.size)))
    if isinstance(old, UniformIntegerHyperparameter):
        return _integer(old, steps)
    size = int(old.size)
    return by_place(old, copy.copy(old), [(place - steps) % size for place in range(size)])


def _float(old: Any, true: Scale | LogCounts, shift: float) -> Shown:
    new = Scale(float(old.lower), float(old.upper), bool(old.log))
    shown = UniformFloatHyperparameter(
        old.name, new.lower, new.upper, float(old.default_value), log=new.log, meta=without_levels(old.meta)
    )

    def show(value: Any) -> Scalar:
        return new.value((true.share(value) - shift) % 1.0)

    def read(value: Any) -> Scalar:
        return true.value((new.share(float(value)) + shift) % 1.0)

    return Shown(shown, show, read)


def _integer(old: Any, steps: int) -> Shown:
    lower, size = int(old.lower), int(old.size)

    def show(value: Any) -> Scalar:
        return lower + (int(value) - lower - steps) % size

    def read(value: Any) -> Scalar:
        return lower + (int(value) - lower + steps) % size

    shown = copy.copy(old)
    shown.meta = without_levels(old.meta)
    return Shown(shown, show, read)
