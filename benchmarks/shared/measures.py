"""Objectives chosen by name from what an evaluation measures, and an outcome made of the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.shared.setting_checks import one_of
from harness.errors import SettingError
from harness.meters.processor_energy import POWERCAP, read_counters
from harness.problem import Objective, Outcome

ENERGY = Objective("energy_joules", "minimize")
"""Of a live evaluation, where the machine has a counter: a live family lists it among what can be an objective."""


def chosen(names: Sequence[str] | None, known: Mapping[str, Objective], kind: str) -> tuple[Objective, ...]:
    """The objectives of a problem.

    Args:
        names: The setting ``objectives``; None for the family's first.
        known: Everything that can be one, by name; the first is the family's own.
        kind: Who asks, for the error.

    Raises:
        SettingError: A name is unknown or stands twice, or there is none; or this machine cannot measure it.
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
            "or have the counters made readable."
        )
    return tuple(known[one_of(f"objective of {kind}", name, known)] for name in listed)


def outcome(measured: Mapping[str, float], objectives: Sequence[Objective], seconds: float | None) -> Outcome:
    """An outcome: the objectives as losses, everything else as metrics.

    Args:
        measured: Name -> value as reported; holds every objective.
        objectives: The problem's.
        seconds: What the evaluation cost.
    """
    losses = {objective.name: float(objective.loss(measured[objective.name])) for objective in objectives}
    return Outcome(losses, {name: float(value) for name, value in measured.items() if name not in losses}, seconds)
