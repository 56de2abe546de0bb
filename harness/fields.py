"""Checks of the fields of JSON files, which can be combined."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

Check = Callable[[Any], bool]
WORDS = ("NaN", "Infinity", "-Infinity")
"""Texts for floats that JSON lacks (``harness.jsonl.plain``)."""


def is_text(value: Any) -> bool:
    """Whether the value is a text, possibly empty."""
    return isinstance(value, str)


def is_object(value: Any) -> bool:
    """Whether the value is a JSON object."""
    return isinstance(value, dict)


def is_time(value: Any) -> bool:
    """Whether the value is a date and time in ISO 8601."""
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def or_none(holds: Check) -> Check:
    """A check that accepts null, or what another check accepts."""
    return lambda value: value is None or holds(value)


def list_of(holds: Check, least: int = 0) -> Check:
    """A check that accepts a list of at least ``least`` items, each accepted by another check."""
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(holds, value))


def mapping_to(holds: Check) -> Check:
    """A check that accepts an object whose values another check accepts."""
    return lambda value: isinstance(value, dict) and all(map(holds, value.values()))
