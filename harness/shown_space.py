"""A disguised search space: each hyperparameter is shown as another one, with matching conditions and clauses."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ConfigSpace import ConfigurationSpace, InCondition
from ConfigSpace.conditions import Condition, Conjunction, EqualsCondition, NotEqualsCondition
from ConfigSpace.forbidden import (
    ForbiddenConjunction,
    ForbiddenEqualsClause,
    ForbiddenInClause,
    ForbiddenOrConjunction,
    ForbiddenRelation,
)
from ConfigSpace.hyperparameters import Hyperparameter

from harness.choices import Choices, builtin, values_of


@dataclass(frozen=True, slots=True)
class Shown:
    """A hyperparameter and its disguise.

    Attributes:
        hyperparameter: The shown hyperparameter, under its shown name.
        show: Converts a true value to the shown one; called only for values in conditions and clauses.
        read: Converts a shown value to the true one.
        same: Whether all values are unchanged.
    """

    hyperparameter: Hyperparameter[Any, Any]
    show: Callable[[Any], Any]
    read: Callable[[Any], Any]
    same: bool = False


def as_it_is(hyperparameter: Hyperparameter[Any, Any]) -> Shown:
    """A hyperparameter that is shown unchanged."""
    return Shown(copy.copy(hyperparameter), builtin, builtin, same=True)


def by_place(true: Hyperparameter[Any, Any], shown: Hyperparameter[Any, Any], places: Sequence[int]) -> Shown:
    """A hyperparameter with choices, in which the shown choice of each true choice is given by its index."""
    inside, outside = Choices(true), Choices(shown)
    back = {place: number for number, place in enumerate(places)}

    def show(value: Any) -> Any:
        return outside.value(places[inside.place(value)])

    def read(value: Any) -> Any:
        return inside.value(back[outside.place(value)])

    return Shown(shown, show, read)


def rebuilt(space: ConfigurationSpace, shown: Mapping[str, Shown], name: str | None) -> ConfigurationSpace:
    """The space as it is shown.

    Args:
        space: The true space; not changed.
        shown: True name -> disguise, of every hyperparameter. A hyperparameter in conditions or clauses is shown
            unchanged, or has values that can be listed.
        name: Name of the new space.
    """
    new = ConfigurationSpace(name=name)
    new.add(*(each.hyperparameter for each in shown.values()))
    new.add(*(_condition(condition, shown) for condition in space.conditions))
    new.add(*(clause for old in space.forbidden_clauses if (clause := _clause(old, shown)) is not None))
    return new


def _condition(old: Any, shown: Mapping[str, Shown]) -> Condition | Conjunction:
    if isinstance(old, Conjunction):
        return type(old)(*(_condition(part, shown) for part in old.components))
    parent = shown[old.parent.name]
    pair = shown[old.child.name].hyperparameter, parent.hyperparameter
    if isinstance(old, InCondition):
        return InCondition(*pair, [parent.show(value) for value in old.values])
    if parent.same or isinstance(old, EqualsCondition | NotEqualsCondition):
        kept: Condition = type(old)(*pair, parent.show(old.value))
        return kept
    holds = [value for value in values_of(old.parent) if old.satisfied_by_value({old.parent.name: value})]
    return InCondition(*pair, [parent.show(value) for value in holds])


def _clause(old: Any, shown: Mapping[str, Shown]) -> Any:
    """The clause for the shown values; None if it forbids nothing."""
    if isinstance(old, ForbiddenConjunction):
        parts = [_clause(part, shown) for part in old.components]
        left = [part for part in parts if part is not None]
        if not left or (len(left) < len(parts) and not isinstance(old, ForbiddenOrConjunction)):
            return None
        return type(old)(*left)
    if isinstance(old, ForbiddenRelation):
        return type(old)(shown[old.left.name].hyperparameter, shown[old.right.name].hyperparameter)
    name = old.hyperparameter.name
    member = shown[name]
    if isinstance(old, ForbiddenInClause):
        return ForbiddenInClause(member.hyperparameter, [member.show(value) for value in old.values])
    if member.same or isinstance(old, ForbiddenEqualsClause):
        return type(old)(member.hyperparameter, member.show(old.value))
    falling = [value for value in values_of(old.hyperparameter) if old.is_forbidden_value({name: value})]
    return ForbiddenInClause(member.hyperparameter, [member.show(value) for value in falling]) if falling else None
