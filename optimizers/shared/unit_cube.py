"""Configurations as points of the unit cube, for methods that use vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from ConfigSpace import ConfigurationSpace
from ConfigSpace.exceptions import ForbiddenValueError
from ConfigSpace.hyperparameters import Constant, FloatHyperparameter, IntegerHyperparameter
from ConfigSpace.util import deactivate_inactive_hyperparameters

from harness.choices import Choices, builtin, has_choices
from harness.problem import Params
from harness.space import Decoder

Point = npt.NDArray[np.float64]
MIDDLE = 0.5


class UnitCube:
    """The map between a search space and [0, 1]^d, with one coordinate per hyperparameter that is not constant.

    Numbers are mapped on their own scale (logarithmic if the space is); an integer covers the interval of half a unit
    to either side, a level of an ordinal or categorical hyperparameter one of equally long intervals. The coordinate
    of an inactive hyperparameter is the middle, and is ignored on the way back.

    Args:
        space: The search space; not changed.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self._space = space
        self.names: tuple[str, ...] = tuple(name for name in space if not isinstance(space[name], Constant))
        """Names of the coordinates, in order."""
        self._choices = {name: Choices(hp) for name, hp in space.items() if has_choices(hp)}
        self._constants = {name: self._choices[name].values[0] for name in space if name not in self.names}
        self._read = Decoder(space)

    @property
    def dimensions(self) -> int:
        """Number of coordinates."""
        return len(self.names)

    def point(self, params: Mapping[str, Any]) -> Point:
        """The point of a valid configuration, shape (dimensions,)."""
        return np.array([self._coordinate(n, params[n]) if n in params else MIDDLE for n in self.names])

    def params(self, point: npt.ArrayLike) -> Params | None:
        """The configuration at a point; coordinates outside [0, 1] are moved to the nearest bound.

        Returns:
            A valid configuration in the space's order, without its inactive hyperparameters; None if it is forbidden.
        """
        inside = np.clip(np.asarray(point, dtype=np.float64), 0.0, 1.0)
        values = {name: self._value_at(name, float(u)) for name, u in zip(self.names, inside, strict=True)}
        values |= self._constants
        try:
            active = deactivate_inactive_hyperparameters(values, self._space)
        except ForbiddenValueError:
            return None
        return self._read(active)

    def _coordinate(self, name: str, value: Any) -> float:
        if name not in self._choices:
            return coordinate(self._space[name], value)
        choices = self._choices[name]
        return (choices.place(value) + 0.5) / len(choices.values)

    def _value_at(self, name: str, place: float) -> Any:
        if name not in self._choices:
            return value_at(self._space[name], place)
        values = self._choices[name].values
        return values[min(int(place * len(values)), len(values) - 1)]


def coordinate(hyperparameter: Any, value: float) -> float:
    """The coordinate in [0, 1] of a legal number of a hyperparameter."""
    if isinstance(hyperparameter, IntegerHyperparameter):
        lower, upper = _ends(hyperparameter)
        return (_scaled(hyperparameter, float(value)) - lower) / (upper - lower)
    return float(hyperparameter.to_vector(value))


def value_at(hyperparameter: Any, place: float) -> Any:
    """The legal number of a hyperparameter at a coordinate in [0, 1], as a builtin."""
    least, greatest = builtin(hyperparameter.lower), builtin(hyperparameter.upper)
    if isinstance(hyperparameter, IntegerHyperparameter):
        lower, upper = _ends(hyperparameter)
        exact = lower + place * (upper - lower)
        number = math.exp(exact) if hyperparameter.log else exact
        return int(min(max(math.floor(number + 0.5), least), greatest))
    if isinstance(hyperparameter, FloatHyperparameter):
        return float(min(max(hyperparameter.to_value(np.float64(place)), least), greatest))
    raise NotImplementedError(f"A {type(hyperparameter).__name__} has no coordinate.")


def _ends(hyperparameter: Any) -> tuple[float, float]:
    """Both ends of an integer's axis on its own scale: half a unit outside its bounds."""
    lower, upper = float(hyperparameter.lower) - 0.5, float(hyperparameter.upper) + 0.5
    return _scaled(hyperparameter, lower), _scaled(hyperparameter, upper)


def _scaled(hyperparameter: Any, number: float) -> float:
    return math.log(number) if hyperparameter.log else number
