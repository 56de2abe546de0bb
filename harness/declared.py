"""What a benchmark declares, checked when it is made: objectives, fidelities, the default configuration.

A bound in the wrong place is not noticed later: regret and scores are drawn between optimum and worst.
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
"""How far, relative to its size, an attained value may lie beyond the scale: sums of floats do."""


def check_objective(objective: Objective) -> None:
    """See ``Objective``; its numbers become floats."""
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
    sense = f"is to be {objective.direction}d"
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
            raise ContractError(f"{what} {sense}, and has {told.format(better, worse)}: exchange or correct them.")


def check_fidelity_range(fidelity: Fidelity) -> None:
    """See ``Fidelity``."""
    what = f"Fidelity {_name(fidelity.name, 'a fidelity')}"
    for field in ("lower", "upper"):
        value = _finite(getattr(fidelity, field), f"{what}: {field}")
        if fidelity.integer and not value.is_integer():
            raise ContractError(f"{what} is for whole numbers, and its {field} end is {value}.")
    if fidelity.lower > fidelity.upper:
        raise ContractError(f"{what} goes from {fidelity.lower} to {fidelity.upper}; the lower end comes first.")


def check_description(description: Description) -> None:
    """See ``Description``."""
    for field in ("model", "data"):
        if not isinstance(value := getattr(description, field), str):
            raise ContractError(f"Description: {field} is {type(value).__name__}; give a text, or leave it out.")


def check_problem(
    problem: Problem, objective: type[Objective], fidelity: type[Fidelity], description: type[Description]
) -> None:
    """See ``Problem``; the classes are given, for the module that defines them uses this one."""
    from ConfigSpace import ConfigurationSpace

    from harness.faults import describe
    from harness.validity import Checker  # heavy, and a problem is made late

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
            "harness.problem: what is said of the model and what is said of the data, apart."
        )
    if not isinstance(problem.default, dict):
        raise ContractError(f"{what}: default is {type(problem.default).__name__}, not a dict of a configuration.")
    violations = Checker(problem.space).check(problem.default)[1]
    if violations:
        found = "; ".join(describe(violation) for violation in violations[:3])
        raise ContractError(f"{what}: its default is no configuration of its own space: {found}.")


def _all_of(given: Any, kind: type[Any], what: str) -> None:
    """Refuse what is no sequence of these, or names two alike."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ContractError(f"{what} is {type(given).__name__}; give a tuple of {kind.__name__}.")
    for each in given:
        if not isinstance(each, kind):
            raise ContractError(f"{what} holds {type(each).__name__}; give a tuple of {kind.__name__}.")
    name, count = next(iter(Counter(each.name for each in given).most_common(1)), ("", 0))
    if count > 1:
        raise ContractError(f"{what}: {count} are named {name!r}; each needs a name of its own.")


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
