"""Check whether a proposal is a configuration of the space, by this module's rules, not ConfigSpace's.

ConfigSpace's ``legal_value`` accepts ``True`` for an integer; here types are checked first:

* a boolean is never a number, and a quoted number is a string;
* JSON has one number type, so ``3.0`` and ``3e0`` are the integer 3, as in JSON Schema, and 3 is a legal value
  of a float hyperparameter; each is converted to the hyperparameter's type;
* NaN and the infinities are floats outside every range;
* a number between the levels of a numeric ordinal is off the grid, even with a fraction if all levels are
  integers: prompts list the levels and do not ask for an integer. A number beyond the levels is not a choice;
* a choice may be given in its Python or JSON form (``harness.choices``), and is returned as declared;
* a value for an inactive hyperparameter is a fault, also ``null``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ConfigSpace import ConfigurationSpace
from ConfigSpace.forbidden import ForbiddenConjunction, ForbiddenOrConjunction, ForbiddenRelation
from ConfigSpace.hyperparameters import FloatHyperparameter, Hyperparameter, IntegerHyperparameter
from ConfigSpace.types import NotSet

from harness.choices import Choices, builtin, has_choices
from harness.errors import SpaceError
from harness.faults import FIDELITY
from harness.levels import Levels, levels_of
from harness.scalars import whole
from harness.short_names import ShortNames
from harness.trial import Fault, Proposal, Violation

if TYPE_CHECKING:
    from harness.problem import Params, Problem

Verdict = tuple[Any, Fault | None]
"""The legal value and None, or None and the fault."""


class Checker:
    """Checks configurations of one search space; once built, a check takes a few microseconds.

    Args:
        space: The search space; not changed.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self._judges = {name: judge(space[name]) for name in space}
        self._levels = {name: levels for name in space if (levels := levels_of(space[name])) is not None}
        self._names = ShortNames(space)
        self._conditions = {name: tuple(space.parent_conditions_of[name]) for name in space.conditional_hyperparameters}
        self._parents = {name: {parent.name for parent in space.parents_of[name]} for name in space}
        self._order = parents_first(space)
        self._forbidden = tuple(space.forbidden_clauses)

    def proposal(self, proposal: Proposal) -> tuple[Params | None, tuple[Violation, ...]]:
        """``check`` for a whole proposal: one without params is unparseable or truncated."""
        if isinstance(proposal.params, Mapping) and not proposal.short_names:
            return self.check(proposal.params)
        if isinstance(proposal.params, Mapping):
            params, violations = self.check(self._names.read(proposal.params))
            return params, tuple(map(self._names.confused, violations))
        fault = Fault.TRUNCATED if proposal.truncated else Fault.UNPARSEABLE
        return None, (Violation(fault),)

    def meant(self, proposal: Proposal) -> Proposal:
        """The proposal with short names replaced by levels, if it may use them."""
        if not proposal.short_names or not isinstance(proposal.params, Mapping):
            return proposal
        return dataclasses.replace(proposal, params=self._names.read(proposal.params))

    def check(self, params: Mapping[str, Any]) -> tuple[Params | None, tuple[Violation, ...]]:
        """Check a configuration.

        Args:
            params: Hyperparameter name -> value; builtin or numpy scalars, or anything from a reply.

        Returns:
            The configuration (builtin numbers, choices as declared, in the space's order) and no violations;
            or None and all violations.
        """
        legal: Params = {}
        violations: list[Violation] = []
        for name, judge_value in self._judges.items():
            if name not in params:
                continue
            value, fault = judge_value(params[name])
            if fault is None:
                legal[name] = value
            else:
                violations.append(self._violation(fault, name, builtin(params[name])))
        if len(params) != len(legal) + len(violations):
            extra = [name for name in params if name not in self._judges]
            violations += [Violation(Fault.UNKNOWN, str(name), builtin(params[name])) for name in extra]
        violations += self._activity(params, legal)
        if not violations and self._forbidden:
            violations += self._clauses(legal)
        if violations:
            return None, tuple(violations)
        return legal, ()

    def _violation(self, fault: Fault, name: str, value: Any) -> Violation:
        """The violation, for a number with levels including its distance and a hyperparameter with that level."""
        if name not in self._levels or fault not in (Fault.OFF_GRID, Fault.NOT_A_CHOICE):
            return Violation(fault, name, value)
        steps = self._levels[name].steps(value) if fault is Fault.OFF_GRID else None
        confused = next((other for other, levels in self._levels.items() if value in levels), None)
        return Violation(fault, name, value, steps, confused)

    def _activity(self, params: Mapping[str, Any], legal: Params) -> list[Violation]:
        """Missing and inactive hyperparameters, except children of invalid parents."""
        if not self._conditions:
            return [Violation(Fault.MISSING, name) for name in self._judges if name not in params]
        found = []
        values: dict[str, Any] = dict.fromkeys(self._judges, NotSet)
        undecided: set[str] = set()
        for name in self._order:
            conditions = self._conditions.get(name, ())
            if not undecided.isdisjoint(self._parents[name]):
                undecided.add(name)
            elif all(condition.satisfied_by_value(values) for condition in conditions):
                if name in legal:
                    values[name] = legal[name]
                else:
                    undecided.add(name)
                    if name not in params:
                        found.append(Violation(Fault.MISSING, name))
            elif name in params:
                found.append(Violation(Fault.INACTIVE, name, builtin(params[name])))
        return found

    def _clauses(self, legal: Params) -> list[Violation]:
        found = []
        for clause in self._forbidden:
            if forbids(clause, legal):
                names = names_of(clause)
                found.append(Violation(Fault.FORBIDDEN, ", ".join(names), {name: legal.get(name) for name in names}))
        return found


def check_fidelity(fidelity: Any, problem: Problem) -> tuple[Violation, ...]:
    """Check a proposed fidelity, by the same faults as a configuration.

    Args:
        fidelity: Fidelity name -> value as proposed, untrusted; None or a missing entry means the highest.
        problem: Declares the fidelities.

    Returns:
        Violations named ``fidelity.<name>``, or ``fidelity`` if it is not a mapping.
    """
    if fidelity is None:
        return ()
    if not isinstance(fidelity, Mapping):
        return (Violation(Fault.WRONG_TYPE, FIDELITY, fidelity),)
    judges = {
        known.name: _integer_judge(int(known.lower), int(known.upper))
        if known.integer
        else _float_judge(known.lower, known.upper)
        for known in problem.fidelities
    }
    found = []
    for name, value in fidelity.items():
        fault = judges[name](value)[1] if name in judges else Fault.UNKNOWN
        if fault is not None:
            found.append(Violation(fault, f"{FIDELITY}.{name}", builtin(value)))
    return tuple(found)


def judge(hyperparameter: Hyperparameter[Any, Any]) -> Callable[[Any], Verdict]:
    """The check of one hyperparameter.

    Raises:
        SpaceError: An unsupported kind of hyperparameter, or a choice without a JSON form.
    """
    if isinstance(hyperparameter, FloatHyperparameter):
        return _float_judge(float(hyperparameter.lower), float(hyperparameter.upper))
    if isinstance(hyperparameter, IntegerHyperparameter):
        return _integer_judge(int(hyperparameter.lower), int(hyperparameter.upper))
    if has_choices(hyperparameter):
        choices, levels = Choices(hyperparameter), levels_of(hyperparameter)
        return _choice_judge(choices) if levels is None else _level_judge(choices, levels)
    raise SpaceError(
        f"Hyperparameter {hyperparameter.name!r} is a {type(hyperparameter).__name__}, which is not supported; "
        "use a float, an integer, a categorical, an ordinal or a constant."
    )


def _float_judge(lower: float, upper: float) -> Callable[[Any], Verdict]:
    def rule(value: Any) -> Verdict:
        value = builtin(value)
        if type(value) is not float and type(value) is not int:
            return None, Fault.WRONG_TYPE
        if not lower <= value <= upper or (type(value) is float and not math.isfinite(value)):
            return None, Fault.OUT_OF_RANGE
        return float(value), None

    return rule


def _integer_judge(lower: int, upper: int) -> Callable[[Any], Verdict]:
    def rule(value: Any) -> Verdict:
        value = whole(builtin(value))
        if type(value) is not int:
            return None, Fault.WRONG_TYPE
        return (value, None) if lower <= value <= upper else (None, Fault.OUT_OF_RANGE)

    return rule


def _choice_judge(choices: Choices) -> Callable[[Any], Verdict]:
    def rule(value: Any) -> Verdict:
        place = choices.find(value)
        if place is not None:
            return choices.value(place), None
        return None, Fault.NOT_A_CHOICE if choices.has_kind(value) else Fault.WRONG_TYPE

    return rule


def _level_judge(choices: Choices, levels: Levels) -> Callable[[Any], Verdict]:
    def rule(value: Any) -> Verdict:
        value = builtin(value)
        if type(value) is not float and type(value) is not int:
            return None, Fault.WRONG_TYPE
        place = choices.find(value)
        if place is not None:
            return choices.value(place), None
        return None, Fault.OFF_GRID if levels.between(value) else Fault.NOT_A_CHOICE

    return rule


def parents_first(space: ConfigurationSpace) -> list[str]:
    """The space's hyperparameters, each after those that its activity depends on."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name not in order:
            for parent in space.parents_of[name]:
                visit(parent.name)
            order.append(name)

    for name in space:
        visit(name)
    return order


def forbids(clause: Any, legal: Params) -> bool:
    """Whether a clause forbids the configuration; a clause on an inactive hyperparameter does not."""
    if isinstance(clause, ForbiddenConjunction):
        verdicts = (forbids(part, legal) for part in clause.components)
        return any(verdicts) if isinstance(clause, ForbiddenOrConjunction) else all(verdicts)
    return all(name in legal for name in names_of(clause)) and bool(clause.is_forbidden_value(legal))


def names_of(clause: Any) -> list[str]:
    """The hyperparameters in a clause."""
    if isinstance(clause, ForbiddenConjunction):
        return list(dict.fromkeys(name for part in clause.components for name in names_of(part)))
    if isinstance(clause, ForbiddenRelation):
        return [clause.left.name, clause.right.name]
    return [clause.hyperparameter.name]
