"""JSON objects inside untrusted text: parsed, never evaluated."""

from __future__ import annotations

import json
from typing import Any

MOST_OBJECTS = 50
"""Places at which an object may be found; a reply of ten thousand braces is not worth more."""
MOST_LEVELS = 100
"""An object nested deeper is none: whatever walks one later, the log's own encoder included, has only so much stack."""


class _TwinError(ValueError):
    """An object says a key twice."""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _TwinError(next(name for name in names if names.count(name) > 1))
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_without_twins)


def find_objects(text: str, most: int = MOST_OBJECTS) -> tuple[list[tuple[int, int, dict[str, Any]]], str | None]:
    """Every outermost JSON object with its place, and a key that stood twice, if that spoilt one.

    Args:
        text: Untrusted.
        most: Places at which one is looked for.
    """
    found: list[tuple[int, int, dict[str, Any]]] = []
    twins: str | None = None
    position = tries = 0
    while tries < most and (start := text.find("{", position)) >= 0:
        tries += 1
        position = start + 1
        try:
            value, end = _DECODER.raw_decode(text, start)
        except _TwinError as error:
            twins = twins or str(error)
        except (ValueError, RecursionError):
            continue
        else:
            position = end
            if _levels_within(value, MOST_LEVELS):
                found.append((start, end, value))
    return found, twins


def _levels_within(value: Any, most: int) -> bool:
    """Whether containers nest at most so deep; level by level, for a deep one would exhaust a recursion's stack."""
    level = [value]
    for _ in range(most):
        level = [item for each in level for item in _items(each) if isinstance(item, dict | list)]
        if not level:
            return True
    return False


def _items(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container


def object_texts(text: str) -> list[str]:
    """The text of every outermost JSON object, also of one that says a key twice: each is some proposal's place."""
    decoder = json.JSONDecoder()
    found: list[str] = []
    position = tries = 0
    while tries < MOST_OBJECTS and (start := text.find("{", position)) >= 0:
        tries += 1
        try:
            position = decoder.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            position = start + 1
        else:
            found.append(text[start:position])
    return found
