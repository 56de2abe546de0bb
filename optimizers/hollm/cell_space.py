"""A cell of the unit cube as a search space: the values of each hyperparameter within it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ConfigSpace import Categorical, ConfigurationSpace, Constant, Float, Integer, OrdinalHyperparameter
from ConfigSpace.hyperparameters import FloatHyperparameter, IntegerHyperparameter

from harness.choices import Choices
from harness.clauses import conditions_text
from harness.problem import Problem
from harness.space import default_of
from harness.validity import judge
from optimizers.chat.prompt import space_lines
from optimizers.chat.told_space import ToldSpace
from optimizers.hollm.partition import Cell
from optimizers.shared.unit_cube import UnitCube, coordinate, value_at

DIGITS = 5
"""Significant digits of a bound; bounds are rounded before use, so that the model knows them exactly."""


class CellSpace:
    """The values allowed in a cell, as text for the model and as a check of its answers.

    An integer, ordinal or categorical hyperparameter may take the levels whose coordinates are in the cell. An
    inactive hyperparameter does not exclude a configuration.

    Args:
        problem: Problem of the whole space.
        cube: Coordinates of the space.
        cell: The cell.
        told: The whole space as shown to the model.
    """

    def __init__(self, problem: Problem, cube: UnitCube, cell: Cell, told: ToldSpace) -> None:
        space = ConfigurationSpace()
        for name, lower, upper in zip(cube.names, cell.lower, cell.upper, strict=True):
            space.add(_narrowed(problem.space[name], float(lower), float(upper)))
        self._judges = {name: judge(space[name]) for name in cube.names}
        space = told.tell(space)
        whole = space_lines(dataclasses.replace(problem, space=space, default=default_of(space)))
        self.lines: list[str] = [
            f"{line}, only given if {when}" if (when := conditions_text(told.problem.space, name)) else line
            for name, line in zip(space, whole, strict=True)
        ]
        """One line per hyperparameter that is not constant, as in ``space_lines``, with its condition in the whole
        space: a cell may lie where it is inactive."""

    def holds(self, params: Mapping[str, Any]) -> bool:
        """Whether a valid configuration of the whole space is in the cell."""
        return all(rule(params[name])[1] is None for name, rule in self._judges.items() if name in params)


def _narrowed(hyperparameter: Any, lower: float, upper: float) -> Any:
    name = hyperparameter.name
    if isinstance(hyperparameter, FloatHyperparameter):
        return _float(name, hyperparameter, lower, upper)
    if isinstance(hyperparameter, IntegerHyperparameter):
        first, last = _integers(hyperparameter, lower, upper)
        return Constant(name, first) if first == last else Integer(name, (first, last), log=hyperparameter.log)
    ordered = isinstance(hyperparameter, OrdinalHyperparameter)
    levels = Choices(hyperparameter).values
    count = len(levels)
    inside = [level for i, level in enumerate(levels) if lower <= (i + 0.5) / count <= upper]
    # Between two levels there are only configurations in which the hyperparameter is inactive: any level will do.
    inside = inside or [levels[min(int((lower + upper) / 2 * count), count - 1)]]
    return OrdinalHyperparameter(name, inside) if ordered else Categorical(name, inside)


def _float(name: str, hyperparameter: Any, lower: float, upper: float) -> Any:
    first, last = (value_at(hyperparameter, u) for u in (lower, upper))
    rounded = [_bounded(hyperparameter, float(f"{bound:.{DIGITS}g}")) for bound in (first, last)]
    if rounded[0] < rounded[1]:
        first, last = rounded
    return Float(name, (first, last), log=hyperparameter.log) if first < last else Constant(name, first)


def _bounded(hyperparameter: Any, value: float) -> float:
    return min(max(float(value), float(hyperparameter.lower)), float(hyperparameter.upper))


def _integers(hyperparameter: Any, lower: float, upper: float) -> tuple[int, int]:
    """The lowest and the highest integer in the interval; the nearest one twice, if there is none."""
    least, greatest = int(hyperparameter.lower), int(hyperparameter.upper)
    first, last = (int(value_at(hyperparameter, u)) for u in (lower, upper))
    while first < greatest and coordinate(hyperparameter, first) < lower:
        first += 1
    while last > least and coordinate(hyperparameter, last) > upper:
        last -= 1
    if first <= last:
        return first, last
    middle = int(value_at(hyperparameter, (lower + upper) / 2))
    return middle, middle
