"""Checks of what a JSON file's fields hold, to be put together for each kind of file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

Check = Callable[[Any], bool]
WORDS = ("NaN", "Infinity", "-Infinity")
"""What JSON lacks (``harness.jsonl.plain``)."""


def is_text(value: Any) -> bool:
    """Any text, the empty one included."""
    return isinstance(value, str)


def is_object(value: Any) -> bool:
    """An object of JSON."""
    return isinstance(value, dict)


def is_time(value: Any) -> bool:
    """A date and time as ISO 8601 writes them."""
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def or_none(holds: Check) -> Check:
    """Null, or what another check lets through."""
    return lambda value: value is None or holds(value)


def list_of(holds: Check, least: int = 0) -> Check:
    """A list of at least so many items, each of which another check lets through."""
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(holds, value))


def mapping_to(holds: Check) -> Check:
    """An object whose values another check lets through."""
    return lambda value: isinstance(value, dict) and all(map(holds, value.values()))
