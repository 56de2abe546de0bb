"""Find proposals that were made before, exactly or after rounding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import FloatHyperparameter, Hyperparameter, IntegerHyperparameter

from harness.choices import Choices, has_choices, text_of
from harness.levels import Levels, is_number

STEPS = 100
"""Number of equal steps of a range on its own scale for rounding; ranges with fewer integers are not rounded."""


class Seen:
    """Remembers the proposals of one run.

    Args:
        space: Defines how values are rounded; it is not changed.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self._round = {name: rounding(space[name]) for name in space}
        self._exactly: dict[str, int] = {}
        self._nearly: dict[str, int] = {}

    def __call__(
        self, params: Mapping[str, Any] | None, fidelity: Mapping[str, float] | None, index: int
    ) -> tuple[int | None, int | None]:
        """Remember a proposal.

        Args:
            params: As proposed, valid or not; None is never a duplicate.
            fidelity: Proposals at different fidelities are different.
            index: Index of its trial.

        Returns:
            Index of the first trial with exactly this proposal, or None; and if None, index of the first one that is
            equal after rounding all numbers to the grid, or None.
        """
        if params is None:
            return None, None
        exactly = self._exactly.setdefault(_key(params, fidelity), index)
        nearly = self._nearly.setdefault(_key(self.rounded(params), fidelity), index)
        if exactly != index:
            return exactly, None
        return None, None if nearly == index else nearly

    def rounded(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The proposal with every number rounded to the grid of its hyperparameter."""
        return {name: self._round[name](value) if name in self._round else value for name, value in params.items()}


def rounding(hyperparameter: Hyperparameter[Any, Any]) -> Callable[[Any], Any]:
    """A function that rounds values of one hyperparameter; other values and values out of range are unchanged."""
    if isinstance(hyperparameter, FloatHyperparameter | IntegerHyperparameter):
        return _of_range(hyperparameter)
    levels = Choices(hyperparameter).values if has_choices(hyperparameter) else ()
    if not levels or not all(map(is_number, levels)):
        return lambda value: value
    return _of_levels(Levels(levels))


def _of_range(hyperparameter: Any) -> Callable[[Any], Any]:
    lower, upper = float(hyperparameter.lower), float(hyperparameter.upper)
    whole = isinstance(hyperparameter, IntegerHyperparameter) and upper - lower <= STEPS
    scale: Callable[[float], float] = math.log if hyperparameter.log else float
    width = scale(upper) - scale(lower)

    def rounded(value: Any) -> Any:
        if not is_number(value) or not lower <= value <= upper:
            return value
        if whole:
            return round(value)
        return f"step {round(STEPS * (scale(value) - scale(lower)) / width)}"

    return rounded


def _of_levels(levels: Levels) -> Callable[[Any], Any]:
    lowest, highest = levels.values[0], levels.values[-1]

    def rounded(value: Any) -> Any:
        return levels.nearest(value) if is_number(value) and lowest <= value <= highest else value

    return rounded


def _key(params: Mapping[str, Any], fidelity: Mapping[str, float] | None) -> str:
    return text_of(params) + ("" if not fidelity else text_of(fidelity))
