"""Texts and groups of faults, for prompts, reports and error messages."""

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
"""Prefix of the names of violations that concern the fidelity."""


class Group(StrEnum):
    """Group of a fault. Every fault belongs to exactly one group.

    If a proposal has faults of several groups and is counted once, the first group in this order counts.
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
"""Faults that make a proposal a hallucination: a value or a hyperparameter does not exist."""


@dataclass(frozen=True, slots=True)
class Filed:
    """Summary of one proposal's violations, as logged.

    Attributes:
        groups: Group -> whether the proposal has a fault of it; None if the log does not tell.
        fault: The fault that counts if one is counted per proposal: the first fault of the first group that the
            proposal has. ``UNSURE`` if the log does not tell; None for a valid proposal.
    """

    groups: Mapping[Group, bool | None]
    fault: str | None


UNSURE = "not_a_choice_or_off_grid"
"""Label of a violation recorded before off-grid numbers were distinguished, which may be off-grid."""


def filed(violations: Iterable[Mapping[str, Any]], knew: bool = True) -> Filed:
    """Classify one proposal's violations.

    Args:
        violations: As logged: ``fault``, ``name`` and ``value`` of each.
        knew: Whether the recording version distinguished off-grid numbers (``knew_grid``).
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
    """The groups of one proposal's violations, as logged."""
    return frozenset(GROUP_OF[fault] for each in violations if (fault := each["fault"]) in GROUP_OF)


def catalogue() -> list[str]:
    """All faults that proposals are checked for, for ``faults`` in run.json."""
    return [fault.value for fault in Fault]


def knew_grid(run: Mapping[str, Any] | None) -> bool:
    """Whether a run was recorded by a version that distinguishes off-grid numbers; True for a new run.

    Older runs have no ``faults`` in run.json. They recorded such numbers as not_a_choice, without the distance to
    the nearest level.
    """
    return run is None or Fault.OFF_GRID in run.get("faults", ())


def perhaps_off_grid(violation: Mapping[str, Any]) -> bool:
    """Whether a violation of an older log may concern a number between an ordinal's levels."""
    number = isinstance(violation["value"], int | float) and not isinstance(violation["value"], bool)
    return number and violation["fault"] in (Fault.NOT_A_CHOICE, Fault.WRONG_TYPE)


SENTENCES = {
    Fault.UNPARSEABLE: "the reply holds no single JSON object",
    Fault.TRUNCATED: "the reply was cut off before a JSON object was complete",
    Fault.MISSING: "{name} is missing",
    Fault.UNKNOWN: "{name} is not a hyperparameter of this space",
    Fault.WRONG_TYPE: "{name} = {value} has the wrong type",
    Fault.OUT_OF_RANGE: "{name} = {value} is out of range",
    # Same text as NOT_A_CHOICE: another text would tell models more than in runs recorded before this fault existed.
    Fault.OFF_GRID: "{name} = {value} is not one of the allowed values",
    Fault.NOT_A_CHOICE: "{name} = {value} is not one of the allowed values",
    Fault.INACTIVE: "{name} = {value} is given although it is not active in this configuration",
    Fault.FORBIDDEN: "the combination {value} is forbidden",
}


def describe(violation: Violation, limit: int = 60) -> str:
    """One violation as a clause without a full stop; long values are shortened to ``limit`` characters."""
    if violation.fault is Fault.UNKNOWN and (violation.name or "").startswith(f"{FIDELITY}."):
        return f"{_short(violation.name, limit)} is not a fidelity of this task"
    return SENTENCES[violation.fault].format(name=_short(violation.name, limit), value=_json(violation.value, limit))


def _json(value: Any, limit: int) -> str:
    return _short(json.dumps(plain(loggable(value))), limit)


def _short(text: str | None, limit: int) -> str:
    text = text or ""
    return text if len(text) <= limit else text[: limit - 3] + "..."
