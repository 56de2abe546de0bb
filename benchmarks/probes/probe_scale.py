"""Map a number of a range to the share of random draws below it, and back.

A map between two hyperparameters that keeps, reverses or rotates this share does not change the distribution of the
configurations that random search evaluates, because ConfigSpace draws the share uniformly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ConfigSpace.hyperparameters import Hyperparameter, UniformFloatHyperparameter, UniformIntegerHyperparameter

from benchmarks.lookup.nearest import probability_at_most


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of a float: shares from 0 to 1, on its own scale."""

    lower: float
    upper: float
    log: bool

    def value(self, share: float) -> float:
        """The value at a share; never outside the range, and exactly its bounds at 0 and 1."""
        if share <= 0.0 or share >= 1.0:
            return self.lower if share <= 0.0 else self.upper
        if self.log:
            value = self.lower * math.exp(share * math.log(self.upper / self.lower))
        else:
            value = self.lower + share * (self.upper - self.lower)
        return min(max(value, self.lower), self.upper)

    def share(self, value: float) -> float:
        """The share of draws below a value of the range."""
        if self.log:
            return math.log(value / self.lower) / math.log(self.upper / self.lower)
        return (value - self.lower) / (self.upper - self.lower)


class LogCounts:
    """The range of a logarithmic integer. Its values are not equally likely: each has a cell of shares.

    See ``nearest.probability_at_most`` for how ConfigSpace draws them.
    """

    def __init__(self, uniform: UniformIntegerHyperparameter) -> None:
        self._uniform = uniform
        self._range = Scale(float(uniform.lower), float(uniform.upper), log=True)

    def value(self, share: float) -> int:
        """The integer whose cell contains a share."""
        lower, upper = int(self._uniform.lower), int(self._uniform.upper)
        count = upper - lower + 1
        cell = math.floor((self._range.value(share) - lower) / (upper - lower) * count)
        return lower + min(max(cell, 0), count - 1)

    def share(self, value: int) -> float:
        """The middle of an integer's cell."""
        below = 0.0 if value == self._uniform.lower else probability_at_most(self._uniform, value - 1)
        return (below + probability_at_most(self._uniform, value)) / 2


def scale_of(hyperparameter: Hyperparameter[Any, Any]) -> Scale | LogCounts | None:
    """The range of a uniform float or logarithmic integer; None for anything else."""
    if isinstance(hyperparameter, UniformFloatHyperparameter):
        return Scale(float(hyperparameter.lower), float(hyperparameter.upper), bool(hyperparameter.log))
    if isinstance(hyperparameter, UniformIntegerHyperparameter) and hyperparameter.log:
        return LogCounts(hyperparameter)
    return None
