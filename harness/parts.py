"""Parts of a hyperparameter's values: indices of choices, or intervals of a range."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ConfigSpace.hyperparameters import Hyperparameter, IntegerHyperparameter

from harness.choices import Choices, builtin, has_choices

Test = Callable[[Any], bool]
"""Result of a condition or clause for one value."""


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """Numbers from ``lower`` to ``upper``; ``above`` and ``below`` exclude the bound itself."""

    lower: float
    upper: float
    above: bool = False
    below: bool = False

    @property
    def one(self) -> bool:
        """Whether it holds one number."""
        return self.lower == self.upper


Part = tuple[int, ...] | tuple[Interval, ...]
"""Indices of choices, ascending; or disjoint intervals, ascending."""


def whole(hyperparameter: Any) -> Part:
    """All values."""
    if has_choices(hyperparameter):
        return tuple(range(len(Choices(hyperparameter).values)))
    return (Interval(builtin(hyperparameter.lower), builtin(hyperparameter.upper)),)


def is_integer(hyperparameter: Hyperparameter[Any, Any]) -> bool:
    """Whether its intervals hold integers only."""
    return isinstance(hyperparameter, IntegerHyperparameter)


def atoms(hyperparameter: Any, tests: Sequence[Test], bounds: Iterable[Any], singly: bool = False) -> list[Part]:
    """Split the values into parts on which every test is constant.

    Args:
        hyperparameter: The hyperparameter.
        tests: Conditions on one value.
        bounds: Values that the tests compare with; used for ranges only.
        singly: One part per value, if the values can be listed.
    """
    if has_choices(hyperparameter):
        pieces: list[Part] = [(place,) for place in whole(hyperparameter)]  # type: ignore[misc]
    elif singly:
        pieces = [(Interval(n, n),) for n in range(int(hyperparameter.lower), int(hyperparameter.upper) + 1)]
    else:
        pieces = [(interval,) for interval in _cut(hyperparameter, bounds)]
    groups: dict[Any, list[Part]] = {}
    for number, piece in enumerate(pieces):
        value = member(hyperparameter, piece)
        groups.setdefault((number if singly else None, *(test(value) for test in tests)), []).append(piece)
    return [union(hyperparameter, group) for group in groups.values()]


def member(hyperparameter: Hyperparameter[Any, Any], part: Part) -> Any:
    """One value of a part, as passed to a benchmark."""
    first = part[0]
    if not isinstance(first, Interval):
        return Choices(hyperparameter).value(first)
    if is_integer(hyperparameter):
        return int(first.lower)
    return float(first.lower) if first.one else (first.lower + first.upper) / 2


def union(hyperparameter: Hyperparameter[Any, Any], parts: Iterable[Part]) -> Part:
    """The union of parts."""
    members: list[Any] = sorted(each for part in parts for each in part)
    if has_choices(hyperparameter):
        return tuple(members)
    joined: list[Interval] = []
    for interval in members:
        if joined and _touch(joined[-1], interval, is_integer(hyperparameter)):
            last = joined.pop()
            joined.append(Interval(last.lower, interval.upper, last.above, interval.below))
        else:
            joined.append(interval)
    return tuple(joined)


def _touch(left: Interval, right: Interval, integer: bool) -> bool:
    if integer:
        return left.upper + 1 == right.lower
    return left.upper == right.lower and not (left.below and right.above)


def _cut(hyperparameter: Any, bounds: Iterable[Any]) -> list[Interval]:
    """The range, split so that each bound inside it is an interval of its own."""
    lower, upper = builtin(hyperparameter.lower), builtin(hyperparameter.upper)
    if is_integer(hyperparameter):
        points = sorted({whole_number for bound in bounds for whole_number in (math.floor(bound), math.ceil(bound))})
        points = [point for point in points if lower <= point <= upper]
        edges = [lower - 1, *points, upper + 1]
        between = [Interval(a + 1, b - 1) for a, b in pairwise(edges) if a + 1 <= b - 1]
        return sorted([*between, *(Interval(point, point) for point in points)])
    lower, upper = float(lower), float(upper)
    inside = sorted({float(bound) for bound in bounds if lower <= bound <= upper})
    edges = [*(() if inside[:1] == [lower] else (lower,)), *inside, *(() if inside[-1:] == [upper] else (upper,))]
    ranges = [Interval(a, b, a in inside, b in inside) for a, b in pairwise(edges)]
    return sorted([*ranges, *(Interval(point, point) for point in inside)])
