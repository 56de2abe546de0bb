"""Conditions and forbidden clauses of a space as text, with values in JSON form."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ConfigSpace import ConfigurationSpace
from ConfigSpace.conditions import AndConjunction, Condition, Conjunction, InCondition
from ConfigSpace.forbidden import (
    ForbiddenConjunction,
    ForbiddenInClause,
    ForbiddenOrConjunction,
    ForbiddenRelation,
)
from ConfigSpace.hyperparameters import OrdinalHyperparameter

from harness.choices import Choices, loggable

_ORDERED = ("<", ">")


def condition_text(condition: Condition | Conjunction) -> str:
    """When a hyperparameter is active, for example ``kernel == "poly"``."""
    if isinstance(condition, Conjunction):
        return _joined(condition.components, condition_text, isinstance(condition, AndConjunction))
    parent: Any = condition.parent
    if isinstance(condition, InCondition):
        return _in(parent.name, condition.values)
    sign = condition._OP_STR  # type: ignore[attr-defined]
    if sign.startswith(_ORDERED) and isinstance(parent, OrdinalHyperparameter):
        values = Choices(parent).values
        return _in(parent.name, [v for v in values if condition.satisfied_by_value({parent.name: v})])
    return f"{parent.name} {sign} {_json(condition.value)}"


def conditions_text(space: ConfigurationSpace, name: str) -> str:
    """When a hyperparameter is active; empty if always."""
    return " and ".join(map(condition_text, space.parent_conditions_of[name]))


def clause_text(clause: Any) -> str:
    """A forbidden clause, for example ``(kernel == "linear" and batch == 64)``."""
    if isinstance(clause, ForbiddenConjunction):
        return _joined(clause.components, clause_text, not isinstance(clause, ForbiddenOrConjunction))
    if isinstance(clause, ForbiddenRelation):
        return _bare(clause)
    hyperparameter = clause.hyperparameter
    if isinstance(clause, ForbiddenInClause):
        return _in(hyperparameter.name, clause.values)
    sign = _bare(clause).removeprefix(hyperparameter.name).split()[0]
    if sign.startswith(_ORDERED) and isinstance(hyperparameter, OrdinalHyperparameter):
        values = Choices(hyperparameter).values
        return _in(hyperparameter.name, [v for v in values if clause.is_forbidden_value({hyperparameter.name: v})])
    return f"{hyperparameter.name} {sign} {_json(clause.value)}"


def _bare(clause: Any) -> str:
    """ConfigSpace's text of a clause, which contains the sign of a relation."""
    return str(clause).removeprefix("Forbidden: ")


def _joined(parts: Iterable[Any], say: Any, every: bool) -> str:
    return f"({' and '.join(map(say, parts)) if every else ' or '.join(map(say, parts))})"


def _in(name: str, values: Iterable[Any]) -> str:
    """Values in braces, as for a set."""
    return f"{name} in {{{', '.join(map(_json, values))}}}"


def _json(value: Any) -> str:
    return json.dumps(loggable(value))
