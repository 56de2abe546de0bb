"""calls.jsonl, read and written in one place: a text that an earlier line holds is referred to, not repeated.

A prompt repeats the history of its run. Written in full at every call, the file would grow with the square of the
number of calls. In a line, three things may refer to an earlier line of the same file (``$line``, the first is 0):

- the first entry of ``messages``: ``{"$line": 4, "messages": 3}`` stands for the first three messages of line 4;
- ``content`` of a message: ``{"$line": 4, "characters": 900, "then": "..."}`` stands for the first 900 characters
  of the message at the same place of line 4, followed by the text under ``then``;
- ``sampling.schema``: ``{"$line": 4}`` stands for the schema of line 4.

Lines without references, as earlier versions wrote them, are read as they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import RunError
from harness.jsonl import Appender, read_rows

LINE = "$line"
WINDOW = 64
"""Number of earlier lines that are compared with a new one."""
LEAST_CHARACTERS = 200
"""Shorter texts are repeated: a reference would hardly be shorter, and is harder to read."""

Row = dict[str, Any]


def read_calls(path: Path) -> list[Row]:
    """All whole lines with their texts restored; empty without a file.

    Raises:
        DiskError: The file cannot be read.
        RunError: A line is damaged, or refers to a text that is not there.
    """
    rows = read_rows(path)
    for number, row in enumerate(rows):
        try:
            _restore(row, rows, number)
        except (LookupError, TypeError, ValueError):
            raise RunError(
                f"Line {number + 1} of {path} refers to a text that is not there; move the run's folder away and run "
                "it again."
            ) from None
    return rows


class CallAppender:
    """Appends lines to a calls.jsonl.

    Args:
        path: The file; it may have lines already.

    Raises:
        DiskError: It cannot be used.
        RunError: A line of it is damaged.
    """

    def __init__(self, path: Path) -> None:
        earlier = read_calls(path)
        self._count = max(0, len(earlier) - WINDOW)
        self._window: deque[tuple[int, Row]] = deque(maxlen=WINDOW)
        for row in earlier[-WINDOW:]:
            self._remember(row)
        self._file = Appender(path)

    def write(self, row: Mapping[str, Any]) -> None:
        """Append one line; the row is not changed.

        Raises:
            DiskError: There is no room for it.
        """
        self._file.write(_shortened(row, self._window))
        self._remember(row)

    def _remember(self, row: Mapping[str, Any]) -> None:
        self._window.append((self._count, {key: row.get(key) for key in ("messages", "sampling")}))
        self._count += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _shortened(row: Mapping[str, Any], window: Sequence[tuple[int, Row]]) -> Row:
    """The row with references to the lines of the window."""
    short = dict(row)
    if messages := row.get("messages"):
        short["messages"] = _short_messages(messages, window)
    sampling = row.get("sampling") or {}
    if (schema := sampling.get("schema")) is not None:
        for number, earlier in reversed(window):
            if (earlier.get("sampling") or {}).get("schema") == schema:
                short["sampling"] = {**sampling, "schema": {LINE: number}}
                break
    return short


def _short_messages(messages: Sequence[Row], window: Sequence[tuple[int, Row]]) -> list[Row]:
    shared, line = max(((_same(messages, row["messages"] or ()), number) for number, row in window), default=(0, 0))
    rest = [_short_message(place, messages[place], window) for place in range(shared, len(messages))]
    if shared < 2 and (shared == 0 or len(messages[0]["content"]) < LEAST_CHARACTERS):
        return [_short_message(place, message, window) for place, message in enumerate(messages)]
    return [{LINE: line, "messages": shared}, *rest]


def _short_message(place: int, message: Row, window: Sequence[tuple[int, Row]]) -> Row:
    text = message["content"]
    rows = ((number, row["messages"]) for number, row in window if len(row["messages"] or ()) > place)
    length, line = max(((_same_start(text, row[place]["content"]), number) for number, row in rows), default=(0, 0))
    if length < LEAST_CHARACTERS:
        return message
    return {**message, "content": {LINE: line, "characters": length, "then": text[length:]}}


def _same(messages: Sequence[Row], others: Sequence[Row]) -> int:
    """Number of equal messages at the start."""
    count = 0
    while count < min(len(messages), len(others)) and messages[count] == others[count]:
        count += 1
    return count


def _same_start(text: str, other: str) -> int:
    """Number of equal characters at the start, by bisection: comparing slices is quick."""
    low, high = 0, min(len(text), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if text[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _restore(row: Row, rows: Sequence[Row], number: int) -> None:
    """Put the texts of earlier lines in the places of references."""
    earlier = _Earlier(rows, number)
    messages = row.get("messages")
    if isinstance(messages, list):
        if messages and isinstance(messages[0], dict) and LINE in messages[0]:
            first = messages[0]
            kept = earlier.line(first)["messages"][: _whole(first["messages"])]
            if len(kept) < first["messages"]:
                raise LookupError
            messages = [*kept, *messages[1:]]
        row["messages"] = [_restored(place, message, earlier) for place, message in enumerate(messages)]
    sampling = row.get("sampling")
    if isinstance(sampling, dict) and isinstance(schema := sampling.get("schema"), dict) and LINE in schema:
        row["sampling"] = {**sampling, "schema": earlier.line(schema)["sampling"]["schema"]}


def _restored(place: int, message: Any, earlier: _Earlier) -> Any:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, dict) or LINE not in content:
        return message
    text, length = earlier.line(content)["messages"][place]["content"], _whole(content["characters"])
    if len(text) < length:
        raise LookupError
    return {**message, "content": text[:length] + content["then"]}


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The lines before one, whose texts are restored already."""

    rows: Sequence[Row]
    count: int

    def line(self, reference: Mapping[str, Any]) -> Row:
        """The line that a reference names."""
        if (number := _whole(reference[LINE])) >= self.count:
            raise LookupError
        return self.rows[number]


def _whole(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError
    return number
