"""Finite search spaces: a grid over any space, and all configurations of a finite one."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace, InCondition
from ConfigSpace.conditions import Condition, Conjunction
from ConfigSpace.exceptions import ForbiddenValueError
from ConfigSpace.forbidden import (
    ForbiddenConjunction,
    ForbiddenEqualsClause,
    ForbiddenInClause,
    ForbiddenOrConjunction,
    ForbiddenRelation,
)
from ConfigSpace.hyperparameters import (
    Hyperparameter,
    IntegerHyperparameter,
    NumericalHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.types import NotSet

from harness.choices import values_of
from harness.errors import SettingError, unknown
from harness.problem import Params
from harness.validity import Checker, parents_first


def on_levels(space: ConfigurationSpace, levels: int | None) -> ConfigurationSpace:
    """Apply the setting ``levels`` of a live family: None keeps the space; an integer lays a grid over it."""
    return space if levels is None else gridded(space, levels)


def gridded(space: ConfigurationSpace, levels: int | Mapping[str, int]) -> ConfigurationSpace:
    """The space with every numeric hyperparameter turned into an ordinal one with evenly spaced levels.

    Levels are even on the hyperparameter's own scale (linear or logarithmic), from its lower to its upper bound; those
    of integers are rounded and merged if equal. The default is the level nearest to the old one on that scale, the
    lower of two. Finite hyperparameters (choices, orders, constants) and descriptions stay. A condition or forbidden
    clause about a number is translated to the levels for which it holds; a clause that holds for none is dropped.

    Args:
        space: The space; it is not changed.
        levels: Number of levels, at least 2; or a number per name, for every numeric hyperparameter.

    Raises:
        SettingError: There are too few levels: a hyperparameter would never be active, or the default would be
            forbidden.
    """
    new = {name: _on_grid(old, _count(name, old, levels)) for name, old in space.items()}
    if isinstance(levels, Mapping):
        for name in levels:
            if name not in space:
                raise unknown("hyperparameter in levels", name, space)
    grid = ConfigurationSpace(name=space.name)
    try:
        grid.add(*new.values())
        grid.add(*(_condition(condition, new) for condition in space.conditions))
        grid.add(*(clause for old in space.forbidden_clauses if (clause := _clause(old, new)) is not None))
    except ForbiddenValueError as error:
        raise SettingError(
            f"On a grid of {levels} levels the default of {space.name or 'the space'} is forbidden ({error}); "
            "use another number of levels."
        ) from None
    return grid


def finite(space: ConfigurationSpace) -> bool:
    """Whether the space has finitely many configurations: no hyperparameter is a float."""
    return all(math.isfinite(hyperparameter.size) for hyperparameter in space.values())


def configurations(space: ConfigurationSpace) -> Iterator[Params]:
    """Every configuration once, in a fixed order.

    The order is that of an odometer whose digits are the hyperparameters (parents before their children, else as in
    the space); the last one changes fastest.

    Args:
        space: The space; it is not changed. Conditions and forbidden clauses hold.

    Raises:
        SettingError: The space is infinite.
    """
    endless = [name for name, hyperparameter in space.items() if not math.isfinite(hyperparameter.size)]
    if endless:
        raise SettingError(
            f"{space.name or 'The space'} has infinitely many configurations, since {', '.join(endless)} can be any "
            "number of a range; lay a grid over it first."
        )
    return _configurations(space)


def _configurations(space: ConfigurationSpace) -> Iterator[Params]:
    check = Checker(space).check
    order = parents_first(space)
    values: dict[str, Any] = dict.fromkeys(space, NotSet)

    def turn(position: int) -> Iterator[Params]:
        if position == len(order):
            params, _ = check({name: value for name, value in values.items() if value is not NotSet})
            if params is not None:  # else a clause forbids it
                yield params
            return
        name = order[position]
        if all(condition.satisfied_by_value(values) for condition in space.parent_conditions_of[name]):
            for value in values_of(space[name]):
                values[name] = value
                yield from turn(position + 1)
            values[name] = NotSet
        else:
            yield from turn(position + 1)

    return turn(0)


def nearest_level(number: NumericalHyperparameter[Any, Any], levels: Sequence[Any]) -> Any:
    """The level nearest to a number's default on its own scale; the first of two."""
    scale = math.log if number.log else float
    return min(levels, key=lambda level: abs(scale(level) - scale(number.default_value)))


def _count(name: str, old: Hyperparameter[Any, Any], levels: int | Mapping[str, int]) -> int:
    if not isinstance(old, NumericalHyperparameter):
        return 0
    if isinstance(levels, Mapping) and name not in levels:
        raise SettingError(f"levels has no entry for {name}; give a number of levels for every numeric hyperparameter.")
    count = levels[name] if isinstance(levels, Mapping) else levels
    if isinstance(count, bool) or not isinstance(count, int) or count < 2:
        raise SettingError(f"levels is {count!r} for {name}; give a whole number from 2.")
    return count


def _on_grid(old: Hyperparameter[Any, Any], count: int) -> Hyperparameter[Any, Any]:
    if not isinstance(old, NumericalHyperparameter):
        return copy.copy(old)
    lower, upper = float(old.lower), float(old.upper)
    spaced = np.geomspace(lower, upper, count) if old.log else np.linspace(lower, upper, count)
    inner = [float(level) for level in spaced[1:-1]]
    levels: list[Any] = [lower, *inner, upper]
    if isinstance(old, IntegerHyperparameter):
        levels = sorted({round(level) for level in levels})
    default = nearest_level(old, levels)
    return OrdinalHyperparameter(old.name, levels, default_value=default, meta=old.meta)


def _condition(old: Any, new: Mapping[str, Hyperparameter[Any, Any]]) -> Condition | Conjunction:
    if isinstance(old, Conjunction):
        return type(old)(*(_condition(part, new) for part in old.components))
    child, parent = new[old.child.name], new[old.parent.name]
    if not isinstance(old.parent, NumericalHyperparameter):
        if isinstance(old, InCondition):
            return InCondition(child, parent, list(old.values))
        kept: Condition = type(old)(child, parent, old.value)
        return kept
    levels = [level for level in values_of(parent) if old.satisfied_by_value({parent.name: level})]
    if not levels:
        raise SettingError(
            f"On this grid no level of {parent.name} is one where {old}, so {child.name} would never be active; "
            "use another number of levels."
        )
    return InCondition(child, parent, levels)


def _clause(old: Any, new: Mapping[str, Hyperparameter[Any, Any]]) -> Any | None:
    """The clause about the levels; None if it holds for no level."""
    if isinstance(old, ForbiddenConjunction):
        parts = [_clause(part, new) for part in old.components]
        left = [part for part in parts if part is not None]
        either = isinstance(old, ForbiddenOrConjunction)
        if not left or (not either and len(left) < len(parts)):
            return None
        return type(old)(*left) if len(left) > 1 else left[0]
    if isinstance(old, ForbiddenRelation):
        return type(old)(new[old.left.name], new[old.right.name])
    name = old.hyperparameter.name
    if isinstance(old, ForbiddenEqualsClause) and not isinstance(old.hyperparameter, NumericalHyperparameter):
        return ForbiddenEqualsClause(new[name], old.value)
    falling = [value for value in values_of(new[name]) if old.is_forbidden_value({name: value})]
    return ForbiddenInClause(new[name], falling) if falling else None
