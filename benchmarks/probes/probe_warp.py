"""probe.space=warped: every number in another unit.

Hyperparameters get a random range and scale, and half of them are reversed, so that the highest value is shown as the
lowest:

* a float becomes a float of another range on a linear or logarithmic scale;
* an integer on a linear scale becomes one of another range of the same size;
* an integer on a logarithmic scale becomes a float: ConfigSpace draws its values with unequal probabilities, which no
  other integer range has (so a value that is not whole is valid there);
* ordered levels that are numbers become as many other numbers, in order, whole if they were;
* choices, orders of words, constants and special distributions (normal, beta) stay.

Conditions and clauses are translated to the new values. A hyperparameter that they compare with a bound or with another
one stays if its values cannot be translated one by one (``dependencies.translatable``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import (
    Hyperparameter,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from benchmarks.lookup.dependencies import in_clauses, in_relations, parents, translatable
from benchmarks.probes.probe_scale import LogCounts, Scale, scale_of
from harness.choices import Choices, builtin
from harness.levels import without_levels
from harness.problem import Scalar
from harness.shown_space import Shown, as_it_is, by_place

MOST_LOG_LEVELS = 20
DEFAULT_DIGITS = 6


def warped(space: ConfigurationSpace, generator: np.random.Generator) -> dict[str, Shown]:
    """True name -> shown form of each hyperparameter, in the space's order."""
    named, related = parents(space) | in_clauses(space), in_relations(space)
    numbers = [
        name
        for name, each in space.items()
        if name not in related and (name not in named or translatable(each)) and _is_number(each)
    ]
    half = len(numbers) // 2 + int(len(numbers) % 2 and generator.random() < 0.5)
    turned = {numbers[i] for i in generator.permutation(len(numbers))[:half]}
    return {
        name: _warped(each, name in turned, generator) if name in numbers else as_it_is(each)
        for name, each in space.items()
    }


def _is_number(hyperparameter: Hyperparameter[Any, Any]) -> bool:
    if isinstance(hyperparameter, OrdinalHyperparameter):
        levels = Choices(hyperparameter).values
        return all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)
    return isinstance(hyperparameter, UniformFloatHyperparameter | UniformIntegerHyperparameter)


def _warped(old: Any, turned: bool, generator: np.random.Generator) -> Shown:
    scale = scale_of(old)
    if scale is not None:
        return _float(old, scale, turned, _new_scale(generator))
    if isinstance(old, OrdinalHyperparameter):
        return _levels(old, turned, generator)
    return _integer(old, turned, int(generator.integers(20, 500)))


def _float(old: Any, true: Scale | LogCounts, turned: bool, new: Scale) -> Shown:
    """The same share of another range. The default is shown with six digits, which translate to exactly the default."""

    def turn(share: float) -> float:
        return 1.0 - share if turned else share

    default = builtin(old.default_value)
    exact = new.value(turn(true.share(default)))
    shown_default = min(max(float(f"{exact:.{DEFAULT_DIGITS}g}"), new.lower), new.upper)
    shown = UniformFloatHyperparameter(
        old.name, new.lower, new.upper, shown_default, log=new.log, meta=without_levels(old.meta)
    )
    anchor = float(shown.default_value)

    def show(value: Any) -> Scalar:
        return anchor if value == default else new.value(turn(true.share(value)))

    def read(value: Scalar) -> Scalar:
        return default if value == anchor else true.value(turn(new.share(float(value))))

    return Shown(shown, show, read)


def _integer(old: Any, turned: bool, first: int) -> Shown:
    lower, upper = int(old.lower), int(old.upper)
    last = first + upper - lower

    def show(value: Any) -> Scalar:
        return last - (int(value) - lower) if turned else first + (int(value) - lower)

    def read(value: Any) -> Scalar:
        return upper - (int(value) - first) if turned else lower + (int(value) - first)

    default = int(show(old.default_value))
    return Shown(
        UniformIntegerHyperparameter(old.name, first, last, default, meta=without_levels(old.meta)), show, read
    )


def _levels(old: Any, turned: bool, generator: np.random.Generator) -> Shown:
    levels = Choices(old).values
    new = new_levels(len(levels), all(isinstance(level, int) for level in levels), generator)
    places = range(len(levels))[::-1] if turned else range(len(levels))
    default = new[places[Choices(old).place(old.default_value)]]
    return by_place(old, OrdinalHyperparameter(old.name, new, default_value=default, meta=old.meta), places)


def new_levels(count: int, whole: bool, generator: np.random.Generator) -> Sequence[int] | Sequence[float]:
    """Increasing numbers, evenly spaced on a random linear or logarithmic scale.

    Those on a logarithmic scale have four digits. Many levels are always on a linear one.
    """
    unit = 1 if whole else 100
    if count <= MOST_LOG_LEVELS and generator.random() < 0.5:
        first = float(generator.integers(5, 60)) / (1 if whole else 10 ** int(generator.integers(1, 5)))
        ratio = float(generator.uniform(1.6, 2.0 + 8.0 / count))
        spaced = [float(f"{first * ratio**i:.4g}") for i in range(count)]
        return [round(level) for level in spaced] if whole else spaced
    first, step = int(generator.integers(3, 100)), int(generator.integers(3, 60))
    return [first + i * step if whole else (first + i * step) / unit for i in range(count)]


def _new_scale(generator: np.random.Generator) -> Scale:
    """A range with bounds of two digits, or whole ones."""
    if generator.random() < 0.5:
        lower = _two_digits(10 ** generator.uniform(-3, 1))
        return Scale(lower, _two_digits(lower * 10 ** generator.uniform(2, 5)), log=True)
    lower = float(generator.integers(-50, 51))
    return Scale(lower, lower + float(generator.integers(20, 500)), log=False)


def _two_digits(value: float) -> float:
    assert math.isfinite(value)
    return float(f"{value:.2g}")
