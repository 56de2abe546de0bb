"""Short names of levels: 0.0017 for 0.0016681006.

A model that sees short names (``prompt.space=levels_short``) may answer with them. They follow from the levels
alone, so that the prompt and the check always agree.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ConfigSpace import ConfigurationSpace

from harness.choices import builtin
from harness.levels import Number, is_number, known_levels
from harness.trial import Fault, Violation

FEWEST_DIGITS = 2
"""Fewest digits of a short name: one digit would distinguish HPOBench's levels, but 0.002 is not 0.0017."""
MOST_DIGITS = 17
"""Enough digits to distinguish any two floats."""


def short_names(levels: Sequence[Number]) -> tuple[Number, ...]:
    """A short name of each level: the fewest significant digits that distinguish all of them, at least two.

    Integers and digits before the decimal point are kept: 256 is no longer than 260. A name is closer to
    its own level than to any other, on a linear scale and, if all are positive, on a logarithmic one.
    """
    for digits in range(FEWEST_DIGITS, MOST_DIGITS):
        names = tuple(_rounded(level, digits) for level in levels)
        if _tell_apart(levels, names):
            return names
    return tuple(levels)


class ShortNames:
    """Resolves the short names of one space's levels.

    Args:
        space: The search space; not changed.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        known = {name: levels.values for name in space if (levels := known_levels(space[name])) is not None}
        self._levels = {
            name: {short: level for short, level in zip(short_names(levels), levels, strict=True) if short != level}
            for name, levels in known.items()
        }

    def read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The configuration with each short name replaced by its level; other entries of any type are unchanged."""
        return {name: self._level(name, value) for name, value in params.items()}

    def confused(self, violation: Violation) -> Violation:
        """The violation with the hyperparameter whose short name was used by mistake, if any."""
        value = builtin(violation.value)
        if violation.fault not in (Fault.OFF_GRID, Fault.NOT_A_CHOICE) or violation.confused or not is_number(value):
            return violation
        whose = next((name for name, levels in self._levels.items() if value in levels), None)
        return dataclasses.replace(violation, confused=whose)

    def _level(self, name: Any, value: Any) -> Any:
        number = builtin(value)
        if not is_number(number) or not isinstance(name, str) or name not in self._levels:
            return value
        return self._levels[name].get(number, value)


def _rounded(level: Number, digits: int) -> Number:
    if isinstance(level, int) or not math.isfinite(level):
        return level
    return float(f"{level:.{max(digits, len(str(int(abs(level)))))}g}")


def _tell_apart(levels: Sequence[Number], names: Sequence[Number]) -> bool:
    """Whether each name is nearest to its own level, without ties."""
    exact: tuple[Callable[[Number], Any], ...] = (Fraction,)  # floats cannot hold integers beyond 1e308
    scales = (math.log, *exact) if min(*levels, *names) > 0 else exact
    for scale in scales:
        places = [scale(level) for level in levels]
        for own, name in enumerate(names):
            away = [abs(place - scale(name)) for place in places]
            if sum(distance <= away[own] for distance in away) != 1:
                return False
    return True
