"""Faults in words, for prompts, reports and error messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.choices import loggable
from harness.jsonl import plain
from harness.trial import Fault, Violation

FIDELITY = "fidelity"
"""What the names of violations begin with that are about the fidelity and not the configuration."""


class Group(StrEnum):
    """What a fault says of its proposal. Every fault belongs to exactly one group.

    Where one proposal has faults of several and is to be counted once, the first of these counts.
    """

    INVENTED = "invented"
    IMPRECISE = "imprecise"
    REDUNDANT = "redundant"
    UNREADABLE = "unreadable"


GROUP_OF = {
    Fault.UNPARSEABLE: Group.UNREADABLE,
    Fault.TRUNCATED: Group.UNREADABLE,
    Fault.MISSING: Group.UNREADABLE,
    Fault.UNKNOWN: Group.INVENTED,
    Fault.WRONG_TYPE: Group.INVENTED,
    Fault.OUT_OF_RANGE: Group.INVENTED,
    Fault.OFF_GRID: Group.IMPRECISE,
    Fault.NOT_A_CHOICE: Group.INVENTED,
    Fault.INACTIVE: Group.REDUNDANT,
    Fault.FORBIDDEN: Group.INVENTED,
}

INVENTED = frozenset(fault for fault, group in GROUP_OF.items() if group is Group.INVENTED)
"""Faults that make a proposal a hallucination: something in it does not exist."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What one proposal's violations, as logged, come to.

    Attributes:
        groups: Group -> whether the proposal has a fault of it; None where the log does not say.
        fault: What it counts under where it is to count once: of the first group that it has a fault of, the first
            fault in order. ``UNSURE`` where the log does not say; None for a valid proposal.
    """

    groups: Mapping[Group, bool | None]
    fault: str | None


UNSURE = "not_a_choice_or_off_grid"
"""What a violation is that was judged before numbers between levels were told apart, and may be of one."""


def filed(violations: Iterable[Mapping[str, Any]], knew: bool = True) -> Filed:
    """Sort one proposal's violations.

    Args:
        violations: As logged: ``fault``, ``name`` and ``value`` of each.
        knew: Whether they were judged by rules that know what is off the grid (``knew_grid``).
    """
    every = list(violations)
    certain = [Fault(each["fault"]) for each in every if knew or not perhaps_off_grid(each)]
    found = {GROUP_OF[fault] for fault in certain}
    unsure = frozenset() if len(certain) == len(every) else frozenset({Group.INVENTED, Group.IMPRECISE})
    groups = {group: True if group in found else None if group in unsure else False for group in Group}
    first = min(certain, key=lambda fault: list(Group).index(GROUP_OF[fault]), default=None)
    if unsure and Group.INVENTED not in found:
        return Filed(groups, UNSURE)
    return Filed(groups, None if first is None else first.value)


def groups_of(violations: Iterable[Mapping[str, Any]]) -> frozenset[Group]:
    """The groups that one proposal's violations, as logged, belong to."""
    return frozenset(GROUP_OF[fault] for each in violations if (fault := each["fault"]) in GROUP_OF)


def catalogue() -> list[str]:
    """The faults that proposals are judged by, for run.json's ``faults``."""
    return [fault.value for fault in Fault]


def knew_grid(run: Mapping[str, Any] | None) -> bool:
    """Whether all of a run was judged by rules that know what is off the grid; a run yet to begin is.

    Older ones have no ``faults`` in run.json: they called such a number no choice, and said neither how far it is off
    nor whose level it is.
    """
    return run is None or Fault.OFF_GRID in run.get("faults", ())


def perhaps_off_grid(violation: Mapping[str, Any]) -> bool:
    """Whether a logged violation of rules that did not know the grid may be of a number between an ordinal's levels."""
    number = isinstance(violation["value"], int | float) and not isinstance(violation["value"], bool)
    return number and violation["fault"] in (Fault.NOT_A_CHOICE, Fault.WRONG_TYPE)


SENTENCES = {
    Fault.UNPARSEABLE: "the reply holds no single JSON object",
    Fault.TRUNCATED: "the reply was cut off before a JSON object was complete",
    Fault.MISSING: "{name} is missing",
    Fault.UNKNOWN: "{name} is not a hyperparameter of this space",
    Fault.WRONG_TYPE: "{name} = {value} has the wrong type",
    Fault.OUT_OF_RANGE: "{name} = {value} is out of range",
    # In the words of the next one: another sentence would tell models more than runs before this fault were told.
    Fault.OFF_GRID: "{name} = {value} is not one of the allowed values",
    Fault.NOT_A_CHOICE: "{name} = {value} is not one of the allowed values",
    Fault.INACTIVE: "{name} = {value} is given although it is not active in this configuration",
    Fault.FORBIDDEN: "the combination {value} is forbidden",
}


def describe(violation: Violation, limit: int = 60) -> str:
    """One violation as a clause without a full stop; a long value is shortened to ``limit`` characters."""
    if violation.fault is Fault.UNKNOWN and (violation.name or "").startswith(f"{FIDELITY}."):
        return f"{_short(violation.name, limit)} is not a fidelity of this task"
    return SENTENCES[violation.fault].format(name=_short(violation.name, limit), value=_json(violation.value, limit))


def _json(value: Any, limit: int) -> str:
    return _short(json.dumps(plain(loggable(value))), limit)


def _short(text: str | None, limit: int) -> str:
    text = text or ""
    return text if len(text) <= limit else text[: limit - 3] + "..."
