"""Levels of a numeric hyperparameter: their scale, the nearest level, and the distance to it.

The scale follows from the levels: logarithmic if all are positive and spaced at least as evenly on a
logarithmic scale as on a linear one, else linear. 1, 2, 3 is linear; 16, 32, 64 and 0.001, 0.01 are logarithmic.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from ConfigSpace.hyperparameters import Hyperparameter, NumericalHyperparameter, OrdinalHyperparameter

from harness.choices import Choices

Number = int | float
LEVELS = "levels"
"""Key of a range's ``meta`` under which a benchmark lists the levels that the range replaces."""
SNAP_STEPS, SNAP_STEPS_MAX = "snap_steps", "snap_steps_max"
"""Metrics of an evaluation under ``benchmark.space=nearest``: mean and largest distance, over the ranges, to the
levels that were evaluated, in steps between neighbouring levels."""
_EQUAL_DIGITS = 9
"""Digits to which unevenness is rounded before comparison: two levels are even on both scales."""


class Levels:
    """The levels of one hyperparameter.

    Args:
        levels: Finite numbers in any order, at least one, no two equal.

    Attributes:
        values: The levels, ascending.
        log: Whether their scale is logarithmic.
    """

    def __init__(self, levels: Iterable[Number]) -> None:
        self.values: tuple[Number, ...] = tuple(sorted(levels))
        self.log = _is_log(self.values)
        self._known = frozenset(self.values)

    def __contains__(self, value: Any) -> bool:
        return is_number(value) and value in self._known

    def between(self, value: Number) -> bool:
        """Whether a number lies between two levels without being one; False for NaN."""
        return self.values[0] < value < self.values[-1] and value not in self._known

    def nearest(self, value: Number) -> Number:
        """The nearest level on the levels' scale; the lower one in a tie.

        For numbers beyond the last level, infinities included, it is the last level.
        """
        if not self.between(value):
            return self.values[0] if value <= self.values[0] else self.values[bisect_right(self.values, value) - 1]
        low, high = self._around(value)
        below, above, _ = _distances(low, high, value, self.log)
        return low if below <= above else high

    def steps(self, value: Number) -> float:
        """The distance to the nearest level, in steps between the two neighbouring levels.

        Returns:
            0 on a level, else at most 0.5 (halfway).

        Raises:
            ValueError: The number is beyond all levels, where steps are undefined.
        """
        if value in self._known:
            return 0.0
        if not self.between(value):
            raise ValueError(f"{value} is beyond all levels")
        below, above, step = _distances(*self._around(value), value, self.log)
        return min(max(float(min(below, above) / step), math.ulp(0.0)), 0.5)

    def _around(self, value: Number) -> tuple[Number, Number]:
        place = bisect_left(self.values, value)
        return self.values[place - 1], self.values[place]


def levels_of(hyperparameter: Hyperparameter[Any, Any]) -> Levels | None:
    """The levels of an ordinal whose values are all numbers; None for other hyperparameters."""
    if not isinstance(hyperparameter, OrdinalHyperparameter):
        return None
    values = Choices(hyperparameter).values
    return Levels(values) if all(map(is_number, values)) else None


def known_levels(hyperparameter: Hyperparameter[Any, Any]) -> Levels | None:
    """The levels of a numeric ordinal, or those of a range's ``meta``; None without any."""
    if not isinstance(hyperparameter, NumericalHyperparameter):
        return levels_of(hyperparameter)
    listed = (hyperparameter.meta or {}).get(LEVELS)
    return Levels(listed) if listed else None


def only_levels(meta: Mapping[Any, Any] | None) -> dict[Any, Any] | None:
    """The meta of a hyperparameter that is shown without its texts: only its levels, if any."""
    return {LEVELS: meta[LEVELS]} if meta and LEVELS in meta else None


def without_levels(meta: Mapping[Any, Any] | None) -> dict[Any, Any] | None:
    """The meta of a hyperparameter that is shown with other values, for which its levels do not hold."""
    return None if meta is None else {key: value for key, value in meta.items() if key != LEVELS}


def is_number(value: Any) -> bool:
    """Whether a value is a JSON number: not a boolean, not NaN."""
    if isinstance(value, float):
        return not math.isnan(value)
    return isinstance(value, int) and not isinstance(value, bool)  # isnan fails for an int of 400 digits


def _is_log(levels: tuple[Number, ...]) -> bool:
    if levels[0] <= 0:
        return False
    linear = _unevenness([Fraction(level) for level in levels])
    return _unevenness([math.log(level) for level in levels]) <= linear


def _unevenness(places: list[Any]) -> float:
    """Standard deviation of the steps, in mean steps."""
    width = places[-1] - places[0]
    if not width:
        return 0.0
    steps = [float((high - low) / width) * (len(places) - 1) for low, high in pairwise(places)]
    return round(math.sqrt(sum((step - 1) ** 2 for step in steps) / len(steps)), _EQUAL_DIGITS)


def _distances(low: Number, high: Number, value: Number, log: bool) -> tuple[Any, Any, Any]:
    """Distances on the scale: from the lower level, to the higher one, and between the two."""
    if log:
        bottom, at, top = math.log(low), math.log(value), math.log(high)
        if bottom < at < top:  # else the levels are too close for logarithms
            return at - bottom, top - at, top - bottom
    return Fraction(value) - Fraction(low), Fraction(high) - Fraction(value), Fraction(high) - Fraction(low)
