"""Append-only JSON lines: one flushed line per row; a truncated last line is dropped, nothing is overwritten."""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from typing import Any

from harness.errors import RunError
from harness.files import refuse_link, usable
from harness.packed import content_of


def plain(value: Any) -> Any:
    """The value with non-finite floats, which JSON lacks, as texts ("NaN", "Infinity", "-Infinity"); else shared."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def encode(row: Any) -> str:
    """One line of ASCII JSON; lone surrogates and control characters of a reply are kept, escaped."""
    try:
        return json.dumps(row, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(plain(row), allow_nan=False, separators=(",", ":"))


def loads(text: bytes | str) -> Any:
    """Parse JSON from an untrusted source.

    Raises:
        ValueError: It is not JSON, or is nested too deep.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


class Appender:
    """Appends rows to a file. Opening it removes a truncated last line, so that the next row starts on a new line.

    Raises:
        DiskError: The file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with usable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            refuse_link(path)
            if path.exists():
                _cut_torn_line(path)
            self._file = path.open("ab", buffering=0)  # a failed write must not be retried later

    def write(self, row: Any) -> None:
        """Append one row completely, or not at all.

        Raises:
            DiskError: The row cannot be written, e.g. because the disk is full.
        """
        line = memoryview(encode(row).encode("ascii") + b"\n")
        with usable(self._path):
            end = os.fstat(self._file.fileno()).st_size
            try:
                while line:
                    line = line[self._file.write(line) :]
            except OSError:
                with contextlib.suppress(OSError):
                    self._file.truncate(end)
                raise

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All complete rows of a file, on disk or packed; none without it, and a truncated last line is left out.

    Raises:
        DiskError: The file cannot be read.
        RunError: A line before the last is not a JSON object, so the damage was not caused by a crash.
    """
    with usable(path):
        lines = (content_of(path) or b"").split(b"\n")
    rows = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            row = loads(line)
        except ValueError:
            if number == len(lines) - 1:
                break
            raise _damaged(path, number, "is not JSON") from None
        if not isinstance(row, dict):
            raise _damaged(path, number, "is not a JSON object")
        rows.append(row)
    return rows


def _damaged(path: Path, number: int, what: str) -> RunError:
    return RunError(f"Line {number} of {path} {what}; move the run's folder away and run it again.")


def _cut_torn_line(path: Path) -> None:
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    last = data[data.rfind(b"\n", 0, max(end - 1, 0)) + 1 : end]
    if last.strip() and not _is_json(last):
        end -= len(last)
    if end < len(data):
        with path.open("r+b") as file:
            file.truncate(end)


def _is_json(line: bytes) -> bool:
    try:
        loads(line)
    except ValueError:
        return False
    return True
