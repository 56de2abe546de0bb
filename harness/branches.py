"""The branches of a space: disjoint cases with the same active hyperparameters and without forbidden combinations.

The tree of values that conditions and forbidden clauses distinguish is traversed once, parents first; cases with equal
continuations are merged. The numbers of nested conditions therefore add up, but those of independent parents multiply.
This holds for any JSON schema: the object is flat, and llguidance expands ``allOf``. Hence the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ConfigSpace import ConfigurationSpace
from ConfigSpace.conditions import Conjunction
from ConfigSpace.forbidden import ForbiddenConjunction, ForbiddenRelation
from ConfigSpace.types import NotSet

from harness.choices import has_choices
from harness.clauses import clause_text, conditions_text
from harness.method import under_schema, with_schema_form
from harness.parts import Part, atoms, is_integer, member, union, whole
from harness.validity import forbids, names_of, parents_first

MOST_BRANCHES = 64
"""A schema stays small enough to send with every request, and quick to compile."""
MOST_STATES = 4000
"""Number of nodes after which the tree counts as too large."""
MOST_LISTED = 64
"""Largest number of values of an integer in a relation that are enumerated."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A hyperparameter in a branch.

    Attributes:
        name: Its name.
        part: Its possible values; None for all.
        optional: It may be left out, because its condition is not expressed.
    """

    name: str
    part: Part | None = None
    optional: bool = False


Branch = tuple[Entry, ...]
"""The active hyperparameters of a branch, parents first."""


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches of a space, and what they do not express.

    Attributes:
        branches: At least one, unless nothing is valid. Every valid configuration is in exactly one.
        unsaid: Conditions and clauses, in words, that an object of a branch may violate.
    """

    branches: tuple[Branch, ...]
    unsaid: tuple[str, ...] = ()


def branches_of(space: ConfigurationSpace, clauses: bool = True, limit: int = MOST_BRANCHES) -> Branches:
    """The branches of a space.

    With more than ``limit`` branches, conditions and clauses are used in the space's order as long as they fit;
    otherwise the hyperparameter is optional in all branches. Relations between two ranges cannot be expressed.

    Args:
        space: The space; it is not changed.
        clauses: Whether to exclude forbidden combinations.
        limit: Largest number of branches.
    """
    conditional = [name for name in parents_first(space) if space.parent_conditions_of[name]]
    listed = [clause for clause in space.forbidden_clauses if clauses and _sayable(clause, space)]
    said = _walk(space, conditional, listed, limit)
    if said is None:
        conditional, listed, said = _fitting(space, conditional, listed, limit)
    left = [
        f"{name} only if {conditions_text(space, name)}"
        for name in space.conditional_hyperparameters
        if name not in conditional
    ]
    if clauses:
        left += [f"not {clause_text(clause)}" for clause in space.forbidden_clauses if clause not in listed]
    return Branches(said, tuple(left))


def schema_leaves_out(space: ConfigurationSpace, decoding: Mapping[str, Any] | None) -> list[str] | None:
    """Conditions and clauses of the space that the schema for decoding does not express, in words.

    Args:
        space: The space; it is not changed.
        decoding: The recorded settings of the group ``decoding``; None for a method without replies.

    Returns:
        The texts; None without a schema.
    """
    if not under_schema(decoding or {}):
        return None
    flat = with_schema_form(decoding or {})["schema"] == "flat"
    return list(branches_of(space, limit=0 if flat else MOST_BRANCHES).unsaid)


def _fitting(
    space: ConfigurationSpace, conditional: Sequence[str], clauses: Sequence[Any], limit: int
) -> tuple[list[str], list[Any], tuple[Branch, ...]]:
    names: list[str] = []
    kept: list[Any] = []
    found = _walk(space, names, kept, limit) or ()
    for name in conditional:
        if (more := _walk(space, [*names, name], kept, limit)) is not None:
            names, found = [*names, name], more
    for clause in clauses:
        if (more := _walk(space, names, [*kept, clause], limit)) is not None:
            kept, found = [*kept, clause], more
    return names, kept, found


def _walk(
    space: ConfigurationSpace, conditional: Sequence[str], clauses: Sequence[Any], limit: int
) -> tuple[Branch, ...] | None:
    try:
        return _Tree(space, conditional, clauses, limit).branches() or None
    except _TooManyError:
        return None


class _TooManyError(Exception):
    """There are too many branches or nodes."""


class _Tree:
    """One traversal: each hyperparameter is inactive, or takes one of the parts that matter later."""

    def __init__(
        self, space: ConfigurationSpace, conditional: Sequence[str], clauses: Sequence[Any], limit: int
    ) -> None:
        self._space, self._limit, self._states = space, limit, 0
        self._order = _children_next(space)
        self._conditions = {name: tuple(space.parent_conditions_of[name]) for name in conditional}
        self._optional = set(space.conditional_hyperparameters) - set(conditional)
        place = {name: index for index, name in enumerate(self._order)}
        self._due: dict[int, list[Any]] = {}
        for clause in clauses:
            self._due.setdefault(max(place[name] for name in names_of(clause)), []).append(clause)
        needed: dict[str, int] = {}
        for child, conditions in self._conditions.items():
            for leaf in _leaves(conditions):
                needed[leaf.parent.name] = max(needed.get(leaf.parent.name, 0), place[child])
        for index, due in self._due.items():
            for name in (name for clause in due for name in names_of(clause)):
                needed[name] = max(needed.get(name, 0), index)
        self._needed = needed
        leaves = [*_leaves([c for conditions in self._conditions.values() for c in conditions]), *_leaves(clauses)]
        self._parts = {name: self._atoms(name, leaves) for name in needed}
        self._known: dict[Any, tuple[Branch, ...]] = {}

    def branches(self) -> tuple[Branch, ...]:
        """All branches, with hyperparameters in the space's order, parents first."""
        place = {name: index for index, name in enumerate(parents_first(self._space))}
        return tuple(tuple(sorted(found, key=lambda entry: place[entry.name])) for found in self._rest(0, {}))

    def _atoms(self, name: str, leaves: Sequence[Any]) -> list[Part]:
        about = [leaf for leaf in leaves if not isinstance(leaf, ForbiddenRelation) and _subject(leaf) == name]
        singly = any(isinstance(leaf, ForbiddenRelation) and name in names_of(leaf) for leaf in leaves)
        bounds = [bound for leaf in about for bound in (leaf.values if hasattr(leaf, "values") else [leaf.value])]
        return atoms(self._space[name], [_test(leaf, name) for leaf in about], bounds, singly)

    def _rest(self, index: int, chosen: dict[str, Part]) -> tuple[Branch, ...]:
        """The continuations of a branch from a hyperparameter, given the parts of the preceding ones."""
        if index == len(self._order):
            return ((),)
        open_ = tuple((name, part) for name, part in chosen.items() if self._needed[name] >= index)
        key = (index, open_)
        if key not in self._known:
            self._states += 1
            if self._states > MOST_STATES:
                raise _TooManyError
            self._known[key] = tuple(self._here(index, dict(open_)))
            if len(self._known[key]) > self._limit:
                raise _TooManyError
        return self._known[key]

    def _here(self, index: int, chosen: dict[str, Part]) -> Iterator[Branch]:
        name = self._order[index]
        values = {other: member(self._space[other], part) for other, part in chosen.items()}
        optional = name in self._optional
        active = self._active(name, values)
        if active and name not in self._needed:
            yield from ((Entry(name, None, optional), *rest) for rest in self._rest(index + 1, chosen))
            return
        left_out = () if self._forbidden(index, values) else self._rest(index + 1, chosen)
        if not active:
            yield from left_out
            return
        ways: dict[Branch, list[Part]] = {}
        for part in self._parts[name]:
            if not self._forbidden(index, values | {name: member(self._space[name], part)}):
                for rest in self._rest(index + 1, chosen | {name: part}):
                    ways.setdefault(rest, []).append(part)
        without = dict.fromkeys(left_out if optional else ())
        for rest, parts in ways.items():
            joined = union(self._space[name], parts)
            entry = Entry(name, None if joined == whole(self._space[name]) else joined, rest in without)
            yield (entry, *rest)
        yield from (rest for rest in without if rest not in ways)

    def _forbidden(self, index: int, values: dict[str, Any]) -> bool:
        """Whether a clause that ends with this hyperparameter forbids the chosen values."""
        return any(forbids(clause, values) for clause in self._due.get(index, ()))

    def _active(self, name: str, values: dict[str, Any]) -> bool:
        known = dict.fromkeys(self._order, NotSet) | values
        return all(condition.satisfied_by_value(known) for condition in self._conditions.get(name, ()))


def _children_next(space: ConfigurationSpace) -> list[str]:
    """Parents first, with children as early as possible, so that irrelevant decisions are dropped early."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order and all(parent.name in order for parent in space.parents_of[name]):
            order.append(name)
            for child in space.children_of[name]:
                visit(child.name)

    for name in parents_first(space):
        visit(name)
    return order


def _leaves(parts: Iterable[Any]) -> Iterator[Any]:
    for part in parts:
        if isinstance(part, Conjunction | ForbiddenConjunction):
            yield from _leaves(part.components)
        else:
            yield part


def _subject(leaf: Any) -> str:
    """The hyperparameter of a condition or clause."""
    return str(leaf.parent.name if hasattr(leaf, "parent") else leaf.hyperparameter.name)


def _test(leaf: Any, name: str) -> Any:
    says = leaf.satisfied_by_value if hasattr(leaf, "parent") else leaf.is_forbidden_value
    return lambda value: bool(says({name: value}))


def _sayable(clause: Any, space: ConfigurationSpace) -> bool:
    """Whether a clause can be expressed: it concerns single hyperparameters, or relates enumerable ones."""
    related = {name for leaf in _leaves([clause]) if isinstance(leaf, ForbiddenRelation) for name in names_of(leaf)}
    return all(_listable(space[name]) for name in related)


def _listable(hyperparameter: Any) -> bool:
    if has_choices(hyperparameter):
        return True
    return is_integer(hyperparameter) and hyperparameter.upper - hyperparameter.lower < MOST_LISTED
