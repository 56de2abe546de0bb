"""JSON objects inside untrusted text: parsed, never evaluated, and found in time linear in the text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

MOST_LEVELS = 100
"""An object nested deeper is none: whatever walks one later, the log's own encoder included, has only so much stack."""

_SPACE = r"[ \t\n\r]*+"
_STRING = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_SCALAR = rf"(?:{_STRING}|{_NUMBER}|true|false|null|NaN|-?Infinity)"  # as the json module reads them
_KEY = rf"{_STRING}{_SPACE}:{_SPACE}"
_VALUE = re.compile(_SCALAR)
_NAME = re.compile(r'"([^"\\\n]*+)"[ \t\n\r]*+:[ \t\n\r]*+\Z')
# What follows an opening bracket, or a value in the container; the group is there where the container closes. Further
# members that are scalars are taken in one go.
_FIRST = {
    "{": re.compile(rf"{_SPACE}(?:(\}})|{_KEY})"),
    "[": re.compile(rf"{_SPACE}(\])?+"),
}
_NEXT = {
    "{": re.compile(rf"(?:{_SPACE},{_SPACE}{_KEY}{_SCALAR})*+{_SPACE}(?:(\}})|,{_SPACE}{_KEY})"),
    "[": re.compile(rf"(?:{_SPACE},{_SPACE}{_SCALAR})*+{_SPACE}(?:(\])|,{_SPACE})"),
}

Measured = dict[int, tuple[int, int] | int]
"""Place of an opening bracket -> end and levels of the container it opens; where that breaks off, if it opens none."""


class _TwinError(ValueError):
    """An object says a key twice."""


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
        unreadable: How many more are whole and cannot be read (a key twice, too deep, a number of thousands of digits);
            they are none, and nor are those inside them.
        twins: A key that stood twice, if that spoilt one.
    """

    objects: list[tuple[int, int, dict[str, Any]]]
    unreadable: int = 0
    twins: str | None = None


def find_objects(text: str) -> Found:
    """Every outermost JSON object.

    Args:
        text: Untrusted.
    """
    return _read(text, [(start, end, levels) for start, end, levels, _ in _outermost(text)])


def find_answers(text: str, key: str) -> Found:
    """Those of ``find_objects`` that are not a member of an object that was cut off or is broken elsewhere.

    Of ``{"alpha": 0.1, "more": {"a": 1}, "b`` the inner object is whole, and nobody gave it as an answer.

    Args:
        text: Untrusted.
        key: A member of this name is an answer all the same.
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
        except ValueError:  # a number of more digits than Python reads
            continue
    return Found(objects, len(spans) - len(objects), twins)


def object_texts(text: str, key: str | None = None) -> list[str]:
    """The text of every outermost JSON object, also of one that cannot be read: each is some proposal's place.

    Args:
        text: Untrusted.
        key: Leave out members of an object that was cut off or is broken, but for the items of a list and those of this
            name; None leaves nothing out.
    """
    return [text[start:end] for start, end, _, name in _outermost(text) if key is None or name in (None, "", key)]


def levels_within(value: Any, most: int = MOST_LEVELS) -> bool:
    """Whether containers nest at most so deep; level by level, for a deep one would exhaust a recursion's stack."""
    level = [value]
    for _ in range(most + 1):
        level = [item for each in level for item in _items(each)]
        if not level:
            return True
    return False


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _outermost(text: str) -> Iterator[tuple[int, int, int, str | None]]:
    """Start, end and levels of every object that no other one holds: from the left, each brace that opens a whole one.

    The last is None for one that stands for itself. For a member of an object that opens and is not whole it is the
    member's name, "" where it has none: all up to where that object breaks, and named ones and items of lists from
    there to the brace that closes it.

    Linear, for no bracket is looked at twice, and each character is a member of the innermost container alone (of one
    more where an unclosed quotation mark has turned what is text and what is not).
    """
    measured: Measured = {}
    position = in_vain = broken = 0  # braces that opened no whole object and are not closed; where the last one breaks
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
    """Find out about the container that opens at ``start``, and about every one met inside it."""
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
    measured.update(dict.fromkeys(opened, position))  # what is still open is open in vain
