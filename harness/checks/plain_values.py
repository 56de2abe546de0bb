"""Find values of a proposal that are not of a builtin type and would fail in logs or comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.choices import Choices, has_choices
from harness.problem import Problem
from harness.trial import Proposal

PLAIN = frozenset({type(None), bool, int, float, str})


def foreign(proposal: Proposal, problem: Problem) -> str | None:
    """The first value of a proposal that is not of a builtin type, and its place."""
    parts = (proposal.params, proposal.fidelity)
    for name, value in [item for part in parts if isinstance(part, Mapping) for item in part.items()]:
        if type(name) is not str:
            return f"{type(name).__module__}.{type(name).__qualname__} as the name {name!r}"
        choices = Choices(problem.space[name]).declared if _is_choice(name, problem) else ()
        if type(value) not in set(map(type, choices)) and (kind := _strange(value)) is not None:
            return f"{kind.__module__}.{kind.__qualname__} as {name}"
    return None


def _is_choice(name: str, problem: Problem) -> bool:
    return name in problem.space and has_choices(problem.space[name])


def _strange(value: Any) -> type | None:
    """The first type inside a value that JSON cannot represent."""
    if type(value) in PLAIN:
        return None
    if type(value) in (list, tuple, dict):
        inner = value.values() if isinstance(value, dict) else value
        return next((kind for item in inner if (kind := _strange(item)) is not None), None)
    return type(value)
