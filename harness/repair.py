"""Repairs: what is executed in place of an invalid proposal. Each repair is recorded; the default does nothing.

A repair gets the proposal and its violations and returns params or None; the loop checks the result, and if it is
invalid, nothing is executed and the proposal is charged.
"""

from __future__ import annotations

import copy
import difflib
import json
import math
from collections.abc import Sequence
from typing import Any, Protocol

from harness.choices import Choices, builtin, has_choices, loggable
from harness.levels import Levels
from harness.problem import Params, Problem
from harness.space import Decoder
from harness.trial import Fault, Proposal, Violation
from harness.validity import Checker


class Repair(Protocol):
    """A repair, built with ``(problem, seed)``."""

    name: str | None

    def __call__(self, proposal: Proposal, violations: Sequence[Violation]) -> Params | None:
        """A configuration to execute instead, or None."""
        ...


class NoRepair:
    """repair=none: the proposal is charged and nothing is executed."""

    name = None

    def __init__(self, problem: Problem, seed: int) -> None: ...

    def __call__(self, proposal: Proposal, violations: Sequence[Violation]) -> Params | None:
        """None, always."""
        return None


class Clamp:
    """repair=clamp: numbers out of range are set to the nearest bound (NaN is not); other faults are not repaired."""

    name = "clamp"

    def __init__(self, problem: Problem, seed: int) -> None:
        self._space = problem.space

    def __call__(self, proposal: Proposal, violations: Sequence[Violation]) -> Params | None:
        """The proposal with its numbers clamped, or None if it has another fault."""
        if proposal.params is None or any(violation.fault is not Fault.OUT_OF_RANGE for violation in violations):
            return None
        params = dict(proposal.params)
        for violation in violations:
            if violation.name is not None and not (isinstance(violation.value, float) and math.isnan(violation.value)):
                params[violation.name] = _clamped(self._space[violation.name], violation.value)
        return params


class Nearest:
    """repair=nearest: the nearest configuration under fixed rules.

    Unknown and inactive entries are dropped, numbers out of range are clamped, off-grid numbers become the nearest
    level on the levels' scale (``harness.levels``), misspelt choices become the closest spelling in
    JSON or Python, quoted numbers are parsed, and missing or other values become the default. An unparseable
    reply is not repaired.
    """

    name = "nearest"

    def __init__(self, problem: Problem, seed: int) -> None:
        self._space = problem.space
        self._default = problem.default
        self._choices = {name: Choices(each) for name, each in problem.space.items() if has_choices(each)}
        self._checker = Checker(problem.space)

    def __call__(self, proposal: Proposal, violations: Sequence[Violation]) -> Params | None:
        """The proposal with all faults repaired, or None if nothing was parsed.

        Repeated, since repairing a parent changes which of its children are active.
        """
        if proposal.params is None:
            return None
        params = {name: value for name, value in proposal.params.items() if name in self._space}
        for _ in range(len(self._space)):
            self._mend_all(params, violations)
            violations = self._checker.check(params)[1]
            if not any(violation.name in self._space for violation in violations):
                break
        return params

    def _mend_all(self, params: Params, violations: Sequence[Violation]) -> None:
        for violation in violations:
            name = violation.name
            if name is None or name not in self._space:
                continue
            if violation.fault is Fault.INACTIVE:
                params.pop(name)
            else:
                params[name] = self._mend(name, violation)

    def _mend(self, name: str, violation: Violation) -> Any:
        hyperparameter = self._space[name]
        fallback = self._default.get(name, builtin(hyperparameter.default_value))
        if violation.fault is Fault.MISSING:
            return fallback
        value = _number(violation.value)
        if name in self._choices:
            return _nearest_choice(self._choices[name], violation.value, value, fallback)
        return fallback if value is None else _clamped(hyperparameter, value)


class RandomRepair:
    """repair=random: a uniformly random configuration replaces the invalid proposal."""

    name = "random"

    def __init__(self, problem: Problem, seed: int) -> None:
        self._space = copy.deepcopy(problem.space)
        self._space.seed(seed)
        self._read = Decoder(self._space)

    def __call__(self, proposal: Proposal, violations: Sequence[Violation]) -> Params | None:
        """A new random configuration, independent of the proposal."""
        return self._read(self._space.sample_configuration())


def _clamped(hyperparameter: Any, value: float) -> float | int:
    lower, upper = builtin(hyperparameter.lower), builtin(hyperparameter.upper)
    bounded: float | int = min(max(value, lower), upper)
    return round(bounded) if isinstance(lower, int) else bounded


def _number(value: Any) -> float | int | None:
    """The number, possibly quoted or very large; None for NaN and non-numbers."""
    value = builtin(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    for read in (int, float) if isinstance(value, str) else (lambda number: number,):
        try:
            number: float | int = read(value)
        except ValueError:
            continue
        return None if isinstance(number, float) and math.isnan(number) else number
    return None


def _nearest_choice(choices: Choices, proposed: Any, number: float | int | None, fallback: Any) -> Any:
    if len(choices.values) == 1:
        return choices.value(0)
    levels = {form: place for place, form in enumerate(choices.forms) if type(form) in (int, float)}
    if number is not None and levels:
        return choices.value(levels[Levels(levels).nearest(number)])
    near = difflib.get_close_matches(_spelt(proposed), list(spellings := _spellings(choices)), n=1)
    return choices.value(spellings[near[0]]) if near else fallback


def _spellings(choices: Choices) -> dict[str, int]:
    """All spellings of each choice, in JSON and in Python, and its index."""
    found = {json.dumps(form): place for place, form in enumerate(choices.forms)}
    found |= {str(value): place for place, value in enumerate(choices.values)}
    return found


def _spelt(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(loggable(value))
