"""The fidelity that a multi-fidelity method varies, and its levels in proposals."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import SettingError, unknown
from harness.problem import Fidelity, Problem


def varied_fidelity(problem: Problem, name: str | None, method: str) -> Fidelity:
    """The fidelity to vary; all others stay at their highest.

    Args:
        problem: Problem to optimize.
        name: Name of the fidelity; None for the problem's first.
        method: Name of the method, for the error.

    Raises:
        SettingError: The problem has no fidelity, not this one, or its lowest value is not above zero.
    """
    if not problem.fidelities:
        raise SettingError(
            f"{method} needs a task with a fidelity, and {problem.name} has none; use a task that has one, such as "
            "benchmark=toy, or a method that needs none, such as optimizer=smac."
        )
    known = {fidelity.name: fidelity for fidelity in problem.fidelities}
    name = problem.fidelities[0].name if name is None else name
    if name not in known:
        raise unknown(f"fidelity of {problem.name}", name, known)
    fidelity = known[name]
    if fidelity.lower <= 0:
        raise SettingError(
            f"The fidelity {name} of {problem.name} begins at {fidelity.lower:g}, by which {method} divides; give one "
            "that begins above zero, or use a method without a fidelity, such as optimizer=smac."
        )
    return fidelity


def checked_eta(eta: object) -> int:
    """The factor between two levels.

    Raises:
        SettingError: Not a whole number of at least 2.
    """
    if isinstance(eta, bool) or not isinstance(eta, int) or eta < 2:
        raise SettingError(f"optimizer.eta is {eta!r}; give a whole number of at least 2, such as 3.")
    return eta


def at(fidelity: Fidelity, level: float) -> Mapping[str, float] | None:
    """A level in a proposal's form: None for the highest; rounded for an integer fidelity."""
    value = min(max(level, fidelity.lower), fidelity.upper)
    value = round(value) if fidelity.integer else float(value)
    return None if value >= fidelity.upper else {fidelity.name: value}
