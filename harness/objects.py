"""Find JSON objects inside untrusted text: parsed, never evaluated, in time linear in the text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MOST_LEVELS = 100
"""Deepest nesting of an object; a deeper one could exhaust the stack of a function that walks it later."""

_SPACE = r"[ \t\n\r]*+"
_STRING = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_SCALAR = rf"(?:{_STRING}|{_NUMBER}|true|false|null|NaN|-?Infinity)"  # as the json module accepts them
_KEY = rf"{_STRING}{_SPACE}:{_SPACE}"
_VALUE = re.compile(_SCALAR)
_NAME = re.compile(r'"([^"\\\n]*+)"[ \t\n\r]*+:[ \t\n\r]*+\Z')
# What follows an opening bracket, or a value in the container; the group matches where the container closes. Further
# scalar members are matched at once.
_FIRST = {
    "{": re.compile(rf"{_SPACE}(?:(\}})|{_KEY})"),
    "[": re.compile(rf"{_SPACE}(\])?+"),
}
_NEXT = {
    "{": re.compile(rf"(?:{_SPACE},{_SPACE}{_KEY}{_SCALAR})*+{_SPACE}(?:(\}})|,{_SPACE}{_KEY})"),
    "[": re.compile(rf"(?:{_SPACE},{_SPACE}{_SCALAR})*+{_SPACE}(?:(\])|,{_SPACE})"),
}

Measured = dict[int, tuple[int, int] | int]
"""Place of an opening bracket -> end and levels of the container it opens; for an incomplete one, where it breaks."""


class _TwinError(ValueError):
    """An object has a duplicate key."""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwinError(Counter(name for name, _ in pairs).most_common(1)[0][0])
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_without_twins)


@dataclass(frozen=True, slots=True)
class Found:
    """Objects in a text.

    Attributes:
        objects: Start, end and value of each, in order.
        unreadable: Number of complete objects that cannot be used (duplicate key, too deep, a number of thousands of
            digits); objects inside them do not count either.
        twins: A duplicate key that made an object unreadable, if any.
    """

    objects: list[tuple[int, int, dict[str, Any]]]
    unreadable: int = 0
    twins: str | None = None


def find_objects(text: str) -> Found:
    """Find all outermost JSON objects.

    Args:
        text: Untrusted.
    """
    return _read(text, [(start, end, levels) for start, end, levels, _ in _outermost(text)])


def find_answers(text: str, key: str) -> Found:
    """The objects of ``find_objects``, without members of a truncated or broken object.

    In ``{"alpha": 0.1, "more": {"a": 1}, "b`` the inner object is complete but is not an answer.

    Args:
        text: Untrusted.
        key: Members of this name count as answers anyway.
    """
    spans = _outermost(text)
    return _read(text, [(start, end, levels) for start, end, levels, name in spans if name in (None, key)])


def _read(text: str, spans: Sequence[tuple[int, int, int]]) -> Found:
    objects: list[tuple[int, int, dict[str, Any]]] = []
    twins: str | None = None
    for start, end, levels in spans:
        if levels > MOST_LEVELS:
            continue
        try:
            objects.append((start, end, _DECODER.raw_decode(text, start)[0]))
        except _TwinError as error:
            twins = twins or str(error)
        except ValueError:  # a number with more digits than Python parses
            continue
    return Found(objects, len(spans) - len(objects), twins)


def object_texts(text: str, key: str | None = None) -> list[str]:
    """The texts of all outermost JSON objects, including unreadable ones: each takes the place of a proposal.

    Args:
        text: Untrusted.
        key: Leave out members of a truncated or broken object, except the items of a list and members of this
            name; None leaves nothing out.
    """
    return [text[start:end] for start, end, _, name in _outermost(text) if key is None or name in (None, "", key)]


def levels_within(value: Any, most: int = MOST_LEVELS) -> bool:
    """Whether containers nest at most ``most`` levels deep; iterative, since recursion could exhaust the stack."""
    level = [value]
    for _ in range(most + 1):
        level = [item for each in level for item in _items(each)]
        if not level:
            return True
    return False


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _outermost(text: str) -> Iterator[tuple[int, int, int, str | None]]:
    """Start, end and levels of every outermost complete object, from left to right.

    The last item is None for an object that stands alone. For a member of an incomplete object it is the
    member's name, or "" without one: every member up to where that object breaks, and named members and items of
    lists from there to the brace that closes it.

    Linear: each bracket is visited once, and each character belongs to one innermost container (or to two if an
    unclosed quotation mark swaps text and syntax).
    """
    measured: Measured = {}
    position = in_vain = broken = 0  # braces of incomplete objects that are not closed; where the last one breaks
    lists = 0  # brackets open behind that place
    while (start := text.find("{", position)) >= 0:
        behind = max(position, broken)
        in_vain = max(0, in_vain - text.count("}", behind, start))
        lists = max(0, lists + text.count("[", behind, start) - text.count("]", behind, start)) if in_vain else 0
        if start not in measured:
            _measure(text, start, measured)
        if isinstance(whole := measured[start], int):
            in_vain, broken, position = in_vain + 1, max(broken, whole), start + 1
            continue
        named = _NAME.search(text, position, start) if in_vain else None
        member = in_vain and (start <= broken or named or lists)
        yield start, *whole, (named[1] if named else "") if member else None
        position = whole[0]


def _measure(text: str, start: int, measured: Measured) -> None:
    """Measure the container that opens at ``start``, and every container inside it."""
    opened: list[int] = []
    levels: list[int] = []
    position = start
    while True:
        if text.startswith(("{", "["), position):
            if position in measured:
                if isinstance(whole := measured[position], int):
                    position = whole
                    break
                levels[-1] = max(levels[-1], whole[1] + 1)
                match = _NEXT[text[opened[-1]]].match(text, whole[0])
            else:
                opened.append(position)
                levels.append(1)
                match = _FIRST[text[position]].match(text, position + 1)
        else:
            scalar = _VALUE.match(text, position)
            match = scalar and _NEXT[text[opened[-1]]].match(text, scalar.end())
        while match is not None and match[1]:
            place, depth = opened.pop(), levels.pop()
            measured[place] = match.end(), depth
            if not opened:
                return
            levels[-1] = max(levels[-1], depth + 1)
            match = _NEXT[text[opened[-1]]].match(text, match.end())
        if match is None:
            break
        position = match.end()
    measured.update(dict.fromkeys(opened, position))  # still open: incomplete
