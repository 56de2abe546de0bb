"""Dependencies between hyperparameters, which a probe must respect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ConfigSpace import ConfigurationSpace
from ConfigSpace.forbidden import ForbiddenConjunction, ForbiddenRelation
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    OrdinalHyperparameter,
    UniformIntegerHyperparameter,
)

MOST_LEVELS = 1000
"""Largest number of values of an integer in conditions or clauses that is translated value by value."""


def parents(space: ConfigurationSpace) -> set[str]:
    """Hyperparameters on which the activity of another one depends."""
    return {parent.name for name in space for parent in space.parents_of[name]}


def in_relations(space: ConfigurationSpace) -> set[str]:
    """Hyperparameters that a clause compares with each other; their values must stay comparable."""
    return {name for part in _parts(space) if isinstance(part, ForbiddenRelation) for name in _members(part)}


def in_clauses(space: ConfigurationSpace) -> set[str]:
    """Hyperparameters in forbidden clauses."""
    return {name for part in _parts(space) for name in _members(part)}


def translatable(hyperparameter: Hyperparameter[Any, Any]) -> bool:
    """Whether conditions and clauses about it can be translated to other values, one by one."""
    if isinstance(hyperparameter, UniformIntegerHyperparameter):
        return not hyperparameter.log and hyperparameter.size <= MOST_LEVELS
    return isinstance(hyperparameter, OrdinalHyperparameter | CategoricalHyperparameter | Constant)


def _parts(space: ConfigurationSpace) -> Iterator[Any]:
    """Every clause, with conjunctions taken apart."""
    waiting = list(space.forbidden_clauses)
    while waiting:
        clause = waiting.pop()
        if isinstance(clause, ForbiddenConjunction):
            waiting += clause.components
        else:
            yield clause


def _members(clause: Any) -> list[str]:
    if isinstance(clause, ForbiddenRelation):
        return [clause.left.name, clause.right.name]
    return [clause.hyperparameter.name]
