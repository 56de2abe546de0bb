"""Choose objectives by name from the measures of an evaluation, and build outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.shared.setting_checks import one_of
from harness.errors import SettingError
from harness.meters.processor_energy import POWERCAP, read_counters
from harness.problem import Objective, Outcome

ENERGY = Objective("energy_joules", "minimize")
"""Measure of a live evaluation on a machine with a counter; live families list it as a possible objective."""


def chosen(names: Sequence[str] | None, known: Mapping[str, Objective], kind: str) -> tuple[Objective, ...]:
    """The objectives of a problem.

    Args:
        names: The setting ``objectives``; None for the family's first.
        known: Possible objectives by name; the first is the family's default.
        kind: The benchmark, for the error message.

    Raises:
        SettingError: A name is unknown or repeated, there is none, or this machine cannot measure it.
    """
    if names is None:
        return (next(iter(known.values())),)
    listed = [names] if isinstance(names, str) else list(names)
    if not listed or len(set(listed)) < len(listed):
        raise SettingError(
            f"objectives is {listed!r}; name each objective once, at least one, of: {', '.join(sorted(known))}."
        )
    if ENERGY.name in listed and ENERGY.name in known and read_counters() is None:
        raise SettingError(
            f"{ENERGY.name} cannot be measured here: {POWERCAP} has no counter that this user may read; leave it out, "
            "or make the counters readable."
        )
    return tuple(known[one_of(f"objective of {kind}", name, known)] for name in listed)


def outcome(measured: Mapping[str, float], objectives: Sequence[Objective], seconds: float | None) -> Outcome:
    """Build an outcome with the objectives as losses and all other measures as metrics.

    Args:
        measured: Name -> reported value, including every objective.
        objectives: The problem's objectives.
        seconds: Cost of the evaluation.
    """
    losses = {objective.name: float(objective.loss(measured[objective.name])) for objective in objectives}
    return Outcome(losses, {name: float(value) for name, value in measured.items() if name not in losses}, seconds)
