"""What was read from an experiment's runs, kept in the user's cache folder, so that unchanged runs are read once.

A run counts as unchanged while its three files have the same size, times and place on disk, and only for the same
source code and version of polars. A cache that is damaged or cannot be written is ignored.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

import harness
from analysis.runs.columns import TRIALS, schema_of
from harness.cache import cache_folder
from harness.errors import DiskError
from harness.files import replace_file
from harness.jsonl import loads
from harness.packed import CALLS, RECORD, state_of
from harness.packed import TRIALS as LOG

LEAST_ROWS = 20_000
"""Smaller experiments are read at once."""
MOST_FILES = 10
"""Caches that are kept, by the time of their last writing."""

State = list[Any]
Invalid = list[tuple[dict[str, Any], int | None]]
"""Row and number of the candidate of each invalid proposal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One run: the state of its files, the place of its rows in the cache's frame, and its invalid proposals."""

    state: State
    start: int
    rows: int
    invalid: Invalid


class RunCache:
    """The runs of one experiment as they were read before.

    Args:
        experiment: Its folder.

    Attributes:
        frame: The rows of all runs of the cache.
    """

    def __init__(self, experiment: Path) -> None:
        name = hashlib.sha256(str(experiment.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        self._path = cache_folder() / "analysis" / name
        self._entries, self.frame = _read(self._path)

    def find(self, run: str, state: State) -> Entry | None:
        """The rows of a run whose files are in this state; None if they are to be read."""
        entry = self._entries.get(run)
        return entry if entry is not None and state and entry.state == state else None

    def keep(self, states: Mapping[str, State], frame: pl.DataFrame, invalid: Mapping[str, Invalid]) -> None:
        """Write the cache, if anything in it changed and the experiment is large.

        Args:
            states: Run id -> state of its files before they were read, in the order of the rows.
            frame: The rows of all runs.
            invalid: Run id -> its invalid proposals, for runs with any.
        """
        known = {run: entry.state for run, entry in self._entries.items()}
        if frame.height < LEAST_ROWS or known == states:
            return
        lengths = dict(frame.group_by("run").len().iter_rows())
        header = {
            "version": _version(),
            "runs": [[run, states[run], lengths[run], invalid.get(run, [])] for run in states],
        }
        with contextlib.suppress(OSError, ValueError, DiskError):
            file = io.BytesIO()
            frame.write_ipc(file, compression="lz4")
            content = json.dumps(header, allow_nan=False).encode() + b"\n" + file.getvalue()
            replace_file(self._path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            kept = sorted(self._path.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)
            for path in kept[:-MOST_FILES]:
                path.unlink()


def file_state(folder: Path) -> State:
    """The state of a run's files."""
    try:
        states = [state_of(folder / name) for name in (RECORD, LOG, CALLS)]
    except OSError:  # which reading reports
        return []
    return [None if state is None else list(state) for state in states]


def _read(path: Path) -> tuple[dict[str, Entry], pl.DataFrame]:
    """The entries and rows of a cache; nothing if there is none of this version."""
    nothing = pl.DataFrame(schema=schema_of(TRIALS))
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return {}, nothing
        text, _, rows = content.partition(b"\n")
        header = loads(text)
        if header["version"] != _version():
            return {}, nothing
        frame = pl.read_ipc(io.BytesIO(rows))
        return _entries(header["runs"]), frame
    except (OSError, ValueError, LookupError, TypeError, pl.exceptions.PolarsError):
        return {}, nothing


def _entries(runs: Sequence[Any]) -> dict[str, Entry]:
    found, start = {}, 0
    for run, state, rows, invalid in runs:
        found[run] = Entry(state, start, rows, [(row, number) for row, number in invalid])
        start += rows
    return found


@cache
def _version() -> str:
    """Of everything that a row depends on but the files."""
    folders = [Path(__file__).parent, Path(harness.__file__).parent]
    digest = hashlib.sha256(pl.__version__.encode())
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
