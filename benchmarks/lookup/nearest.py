"""benchmark.space=nearest: a table shown as ranges, where a configuration scores what the nearest levels score.

This defines the benchmark and holds for every optimizer. The distance between a configuration and the one looked up is
recorded with every evaluation: ``snap_steps``, the distance to the nearest level in steps between neighbouring levels
(0 on a level, at most one half), as a mean over the active hyperparameters that are ranges, and ``snap_steps_max``,
the largest of them.

Distances are on the hyperparameter's own scale; a value midway between two levels counts as the lower one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Hyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from ConfigSpace.hyperparameters.hp_components import ROUND_PLACES
from numpy.typing import NDArray

from benchmarks.lookup.dependencies import in_clauses, parents
from benchmarks.shared.setting_checks import one_of
from harness.choices import Choices, builtin
from harness.errors import SettingError
from harness.levels import LEVELS, SNAP_STEPS, SNAP_STEPS_MAX, Levels, known_levels, levels_of
from harness.problem import Outcome, Params
from harness.shown_space import Shown, as_it_is, rebuilt

Uniform = UniformFloatHyperparameter | UniformIntegerHyperparameter


class Nearest:
    """A grid shown as ranges.

    A numeric ordinal becomes a range from its lowest to its highest level, of integers if all levels are, with the
    same default; its levels stay in its ``meta``. All others stay, also ordinals in conditions or clauses, which refer
    to levels.

    Args:
        grid: The table's own space; it is not changed.
        name: Name of the benchmark, for the error message.

    Attributes:
        space: The ranges.

    Raises:
        SettingError: No hyperparameter can become a range.
    """

    def __init__(self, grid: ConfigurationSpace, name: str) -> None:
        fixed = parents(grid) | in_clauses(grid)
        shown = {key: as_it_is(each) if key in fixed else _shown(each) for key, each in grid.items()}
        self.space = rebuilt(grid, shown, grid.name)
        ranges = [each for each in self.space.values() if isinstance(each, Uniform)]
        self._ranges = {each.name: levels for each in ranges if (levels := known_levels(each)) is not None}
        if not self._ranges:
            raise SettingError(
                f"benchmark.space=nearest needs numbers with levels that can become a range, and {name} has none; "
                "use benchmark.space=grid."
            )

    def snap(self, params: Params) -> tuple[Params, dict[str, float]]:
        """The nearest configuration of the grid, and its distance: ``SNAP_STEPS`` and ``SNAP_STEPS_MAX``."""
        on_levels = {
            name: self._ranges[name].nearest(value) if name in self._ranges else value for name, value in params.items()
        }
        steps = [_steps(self._ranges[name], value) for name, value in params.items() if name in self._ranges]
        return on_levels, {
            SNAP_STEPS: sum(steps) / len(steps) if steps else 0.0,
            SNAP_STEPS_MAX: max(steps, default=0.0),
        }

    def outcome(self, params: Params, look_up: Callable[[Params], Outcome]) -> Outcome:
        """The outcome of the nearest configuration of the grid, with the distance.

        Args:
            params: A configuration of ``space``.
            look_up: Returns the outcome of a configuration of the grid.
        """
        on_levels, distance = self.snap(params)
        outcome = look_up(on_levels)
        return replace(outcome, metrics={**outcome.metrics, **distance})

    def probabilities(self, names: Iterable[str]) -> NDArray[np.float64]:
        """(configurations,) probability that a draw of ConfigSpace counts as each configuration of the grid.

        Args:
            names: The hyperparameters without conditions, the most significant digit first.
        """
        return reduce(np.multiply.outer, [level_shares(self.space[name]) for name in names]).ravel()


def _steps(levels: Levels, value: float) -> float:
    """The distance to the nearest level; 0 beyond the last one, where a rounded bound may lie."""
    return levels.steps(min(max(value, levels.values[0]), levels.values[-1]))


def nearest_of(family: str, space: str, grid: ConfigurationSpace) -> Nearest | None:
    """Apply the setting ``space`` of a table: None for ``grid``, a ``Nearest`` for ``nearest``.

    Args:
        family: The benchmark's group choice.
        space: The setting.
        grid: The table's own space.

    Raises:
        SettingError: The setting is invalid, or no hyperparameter can become a range.
    """
    wanted = one_of(f"{family} space", space, ("grid", "nearest"))
    return Nearest(grid, family) if wanted == "nearest" else None


def level_shares(hyperparameter: Hyperparameter[Any, Any]) -> NDArray[np.float64]:
    """(levels,) probability that a draw of ConfigSpace counts as each level or choice."""
    if isinstance(hyperparameter, CategoricalHyperparameter):
        return np.asarray(hyperparameter.probabilities, dtype=np.float64)
    if isinstance(hyperparameter, Uniform) and (levels := known_levels(hyperparameter)) is not None:
        cuts = midpoints([float(level) for level in levels.values], hyperparameter.log)
        return np.diff([0.0, *(probability_at_most(hyperparameter, cut) for cut in cuts), 1.0])
    size = int(hyperparameter.size)
    return np.full(size, 1 / size)


def midpoints(levels: list[float], log: bool) -> list[float]:
    """The values midway between neighbouring levels: geometric means for log, else arithmetic ones."""
    return [math.sqrt(low * high) if log else (low + high) / 2 for low, high in itertools.pairwise(levels)]


def probability_at_most(uniform: Uniform, value: float) -> float:
    """P(a sample of a uniform hyperparameter <= value), value between its bounds.

    ConfigSpace 1.2 draws a logarithmic integer of n = upper - lower + 1 values by dividing [lower, upper] into n cells
    of equal *linear* width, drawing from the log-uniform density over the interval, and returning the cell's number
    (``ConfigSpace.functional.quantize_log``). The probability is therefore the density's mass below the upper edge of
    the cell of ``floor(value)``.
    """
    lower, upper = float(uniform.lower), float(uniform.upper)
    if isinstance(uniform, UniformIntegerHyperparameter):
        count = upper - lower + 1
        share = (math.floor(value) - lower + 1) / count
        value = lower + share * (upper - lower)
    return math.log(value / lower) / math.log(upper / lower) if uniform.log else (value - lower) / (upper - lower)


def _shown(hyperparameter: Hyperparameter[Any, Any]) -> Shown:
    """A numeric ordinal with increasing levels as a range; anything else unchanged."""
    levels = levels_of(hyperparameter)
    if levels is None or len(levels.values) < 2 or Choices(hyperparameter).values != levels.values:
        return as_it_is(hyperparameter)
    whole = all(isinstance(level, int) for level in levels.values)
    kind = UniformIntegerHyperparameter if whole else UniformFloatHyperparameter
    ends, default = (levels.values[0], levels.values[-1]), builtin(hyperparameter.default_value)
    ends = ends if whole else (_outward(ends[0], -1), _outward(ends[1], 1))
    if levels.log and ends[0] <= 0:
        return as_it_is(hyperparameter)
    meta = {**(hyperparameter.meta or {}), LEVELS: list(levels.values)}
    uniform: Any = kind(hyperparameter.name, *ends, default, log=levels.log, meta=meta)
    return Shown(uniform, builtin, builtin, same=True)


def _outward(end: float, sign: int) -> float:
    """Round a bound outward, since ConfigSpace rounds it and the level there must stay in the range."""
    step, rounded = max(10.0**-ROUND_PLACES, math.ulp(end)), float(np.round(end, ROUND_PLACES))
    for count in itertools.count(1):
        if (rounded - end) * sign >= 0:
            break
        rounded = float(np.round(end + sign * count * step, ROUND_PLACES))
    return rounded
