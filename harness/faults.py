"""Faults in words, for prompts, reports and error messages."""

from __future__ import annotations

import json
from typing import Any

from harness.choices import loggable
from harness.jsonl import plain
from harness.trial import Fault, Violation

FIDELITY = "fidelity"
"""What the names of violations begin with that are about the fidelity and not the configuration."""

INVENTED = frozenset({Fault.UNKNOWN, Fault.WRONG_TYPE, Fault.OUT_OF_RANGE, Fault.NOT_A_CHOICE, Fault.FORBIDDEN})
"""Faults that make a proposal a hallucination: something in it does not exist."""

SENTENCES = {
    Fault.UNPARSEABLE: "the reply holds no single JSON object",
    Fault.TRUNCATED: "the reply was cut off before a JSON object was complete",
    Fault.MISSING: "{name} is missing",
    Fault.UNKNOWN: "{name} is not a hyperparameter of this space",
    Fault.WRONG_TYPE: "{name} = {value} has the wrong type",
    Fault.OUT_OF_RANGE: "{name} = {value} is out of range",
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
