"""Check a benchmark's declarations when it is built: objectives, fidelities, the default configuration.

A wrong bound would not be noticed later, because regret and scores are scaled between optimum and worst value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import ContractError, unknown
from harness.scalars import LARGEST, is_quantity, number
from harness.visible import is_name

if TYPE_CHECKING:
    from harness.problem import Description, Fidelity, Objective, Problem

DIRECTIONS = ("minimize", "maximize")
ROUNDING = 1e-9
"""Relative tolerance for attained values beyond the scale, because of rounding errors."""


def check_objective(objective: Objective) -> None:
    """Check an ``Objective``; its numbers become floats."""
    if objective.direction not in DIRECTIONS:
        raise ContractError(str(unknown(f"direction of objective {objective.name!r}", objective.direction, DIRECTIONS)))
    what = f"Objective {_name(objective.name, 'an objective')}"
    for field in ("optimum", "worst"):
        value = getattr(objective, field)
        object.__setattr__(objective, field, None if value is None else _finite(value, f"{what}: {field}"))
    if objective.scale is not None:
        object.__setattr__(objective, "scale", _pair(objective.scale, what))
    optimum, worst = objective.optimum, objective.worst
    best_of_scale, worst_of_scale = objective.scale or (None, None)
    sense = f"is {objective.direction}d"
    for better, worse, told in (
        (optimum, worst, "optimum {} and worst {}"),
        (best_of_scale, worst_of_scale, "scale from best {} to worst {}"),
        (best_of_scale, optimum, "best of the scale {} and optimum {}"),
        (worst, worst_of_scale, "worst {} and worst of the scale {}"),
    ):
        if better is None or worse is None:
            continue
        slack = ROUNDING * max(abs(better), abs(worse))
        if objective.loss(better) > objective.loss(worse) + slack:
            raise ContractError(f"{what} {sense}, but has {told.format(better, worse)}: swap or correct them.")


def check_fidelity_range(fidelity: Fidelity) -> None:
    """Check a ``Fidelity``."""
    what = f"Fidelity {_name(fidelity.name, 'a fidelity')}"
    for field in ("lower", "upper"):
        value = _finite(getattr(fidelity, field), f"{what}: {field}")
        if fidelity.integer and not value.is_integer():
            raise ContractError(f"{what} is for whole numbers, but its {field} bound is {value}.")
    if fidelity.lower > fidelity.upper:
        raise ContractError(f"{what} goes from {fidelity.lower} to {fidelity.upper}; the lower bound comes first.")


def check_description(description: Description) -> None:
    """Check a ``Description``."""
    for field in ("model", "data"):
        if not isinstance(value := getattr(description, field), str):
            raise ContractError(f"Description: {field} is {type(value).__name__}; give a text, or leave it out.")


def check_problem(
    problem: Problem, objective: type[Objective], fidelity: type[Fidelity], description: type[Description]
) -> None:
    """Check a ``Problem``; the classes are arguments, because their module imports this one."""
    from ConfigSpace import ConfigurationSpace

    from harness.faults import describe
    from harness.validity import Checker  # slow to import

    what = f"Problem {_name(problem.name, 'a problem')}"
    if not isinstance(problem.space, ConfigurationSpace):
        raise ContractError(f"{what}: space is {type(problem.space).__name__}, not a ConfigSpace.ConfigurationSpace.")
    _all_of(problem.objectives, objective, f"{what}: objectives")
    _all_of(problem.fidelities, fidelity, f"{what}: fidelities")
    if not problem.objectives:
        raise ContractError(f"{what} has no objective; give at least one.")
    if not isinstance(problem.description, description):
        raise ContractError(
            f"{what}: description is {type(problem.description).__name__}; give Description(model=..., data=...) of "
            "harness.problem."
        )
    if not isinstance(problem.default, dict):
        raise ContractError(f"{what}: default is {type(problem.default).__name__}, not a dict of a configuration.")
    violations = Checker(problem.space).check(problem.default)[1]
    if violations:
        found = "; ".join(describe(violation) for violation in violations[:3])
        raise ContractError(f"{what}: its default is not a configuration of its space: {found}.")


def _all_of(given: Any, kind: type[Any], what: str) -> None:
    """Check a sequence of instances with unique names."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ContractError(f"{what} is {type(given).__name__}; give a tuple of {kind.__name__}.")
    for each in given:
        if not isinstance(each, kind):
            raise ContractError(f"{what} holds {type(each).__name__}; give a tuple of {kind.__name__}.")
    name, count = next(iter(Counter(each.name for each in given).most_common(1)), ("", 0))
    if count > 1:
        raise ContractError(f"{what}: {count} are named {name!r}; names must be unique.")


def _name(name: object, what: str) -> str:
    if not is_name(name):
        raise ContractError(f"The name of {what} is {name!r}; give a text of visible characters, on one line.")
    return repr(name)


def _finite(value: Any, what: str) -> float:
    found = number(value)
    if found is None or not is_quantity(found):
        most = f", {LARGEST:g} at most" if found is not None and math.isfinite(found) else ""
        raise ContractError(f"{what} is {value!r}; give a finite number{most}.")
    return found


def _pair(scale: Any, what: str) -> tuple[float, float]:
    if not isinstance(scale, tuple | list) or len(scale) != 2:
        raise ContractError(f"{what}: scale is {scale!r}; give the best and the worst value, or None.")
    best, worst = (_finite(end, f"{what}: scale") for end in scale)
    return best, worst
