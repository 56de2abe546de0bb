"""A continuous space over a table: every configuration stands for the nearest grid point."""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import reduce
from itertools import pairwise
from typing import cast

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import UniformFloatHyperparameter, UniformIntegerHyperparameter
from numpy.typing import NDArray

from benchmarks.table import Levels
from harness.problem import Params

Uniform = UniformFloatHyperparameter | UniformIntegerHyperparameter


class NearestGrid:
    """Like ``table.Grid`` for uniform hyperparameters: each value counts as the nearest level.

    Near is meant in log space where the hyperparameter is logarithmic; a value midway between two levels counts as the
    lower one.

    Args:
        levels: Rising levels of each hyperparameter, in the order of the table's keys.
        space: Uniform integer and float hyperparameters of the same names.
    """

    def __init__(self, levels: Levels, space: ConfigurationSpace) -> None:
        self.sizes = tuple(len(choices) for choices in levels.values())
        self._uniforms = [cast(Uniform, space[name]) for name in levels]
        self._cuts = [
            (uniform.name, midpoints([float(level) for level in choices], uniform.log))
            for uniform, choices in zip(self._uniforms, levels.values(), strict=True)
        ]

    def position(self, params: Params) -> int:
        """Row number of the grid point nearest to a configuration."""
        position = 0
        for (name, cuts), size in zip(self._cuts, self.sizes, strict=True):
            position = position * size + bisect_left(cuts, params[name])
        return position

    def probabilities(self) -> NDArray[np.float64]:
        """(configurations,) the probability that a configuration sampled by ConfigSpace counts as each grid point."""
        shares = []
        for uniform, (_, cuts) in zip(self._uniforms, self._cuts, strict=True):
            below = [0.0, *(probability_at_most(uniform, cut) for cut in cuts), 1.0]
            shares.append(np.diff(below))
        return reduce(np.multiply.outer, shares).ravel()


def midpoints(levels: list[float], log: bool) -> list[float]:
    """The values midway between neighbouring levels: geometric means for log, else arithmetic ones."""
    return [math.sqrt(low * high) if log else (low + high) / 2 for low, high in pairwise(levels)]


def probability_at_most(uniform: Uniform, value: float) -> float:
    """P(a sample of a uniform hyperparameter <= value), value between its bounds.

    ConfigSpace 1.2 draws a logarithmic integer of the n = upper - lower + 1 by cutting [lower, upper] into n cells of
    equal *linear* width, drawing from the log-uniform density over that interval, and taking the cell's number
    (``ConfigSpace.functional.quantize_log``). So the probability is the density's mass below the upper edge of the
    cell of ``floor(value)``.
    """
    lower, upper = float(uniform.lower), float(uniform.upper)
    if isinstance(uniform, UniformIntegerHyperparameter):
        count = upper - lower + 1
        share = (math.floor(value) - lower + 1) / count
        value = lower + share * (upper - lower)
    return math.log(value / lower) / math.log(upper / lower) if uniform.log else (value - lower) / (upper - lower)
