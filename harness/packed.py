"""The files of runs, on disk or in the Parquet files of a packed experiment (``harness.pack``): one way to read both.

An experiment's folder may hold three files, compressed with zstd:

- ``runs.parquet``: a row per run: its id, the text of its run.json, and per log the number of lines and the SHA-256;
- ``trials.parquet`` and ``calls.parquet``: a row per line of the logs, in the order of the runs: the run's id, and a
  column per field of the line, with its JSON text as it was written. A line that these would not give back byte for
  byte is in the column ``line`` instead.

A run's folder on disk comes before the pack.
"""

from __future__ import annotations

import contextlib
import fnmatch
import json
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from harness.errors import PackError

if TYPE_CHECKING:
    import polars as pl

RECORD, TRIALS, CALLS = "run.json", "trials.jsonl", "calls.jsonl"
RUNS_FILE = "runs.parquet"
LOGS = {TRIALS: "trials.parquet", CALLS: "calls.parquet"}
State = tuple[int, ...]
RUN, LINE = "run", "line"
"""Columns of a log that are no fields."""
VERSION_KEY, VERSION = b"hyperbole_pack", b"1"
ANYWHERE = "**"
_LEVELS = 3
"""Folders of a run below its experiment."""
_GROUPS_KEPT = 3
"""Row groups of a log that stay in memory."""


def content_of(path: Path) -> bytes | None:
    """The bytes of a run's file: run.json, trials.jsonl or calls.jsonl; None if there is none.

    Raises:
        OSError: The file cannot be read.
        PackError: The pack is damaged.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        pack = _pack_around(path)
        return None if pack is None else pack.content(_id_of(path), path.name)


def state_of(path: Path) -> State | None:
    """The state of a run's file, or of the pack that holds it; None if there is none. Time (ns) and size come first."""
    try:
        return _state(path)
    except (FileNotFoundError, NotADirectoryError):
        pack = _pack_around(path)
        return pack.state if pack is not None and pack.has(_id_of(path), path.name) else None


def is_packed(folder: Path) -> bool:
    """Whether a run is in a pack, and its folder is not on disk."""
    pack = _pack_around(folder / RECORD)
    return pack is not None and pack.has(_id_of(folder / RECORD), RECORD)


def packed_runs(folder: Path, pattern: str) -> Iterator[Path]:
    """Where the run.json of every packed run at or below a folder would be; the folder need not exist.

    Args:
        folder: An experiment, a folder around some, or one inside.
        pattern: Glob of the runs' folders below it.
    """
    inside = [folder, *folder.parents][: _LEVELS + 1] if pattern == ANYWHERE else [folder]
    around = [path.parent for path in folder.glob(f"**/{RUNS_FILE}")] if pattern == ANYWHERE else []
    for experiment in dict.fromkeys((*inside, *around)):
        pack = pack_of(experiment)
        # The quick test first: a sweep looks for one seed among all.
        ids = () if pack is None else pack.runs if pattern == ANYWHERE else fnmatch.filter(pack.runs, pattern)
        for id_ in ids:
            path = experiment / id_
            if path.is_relative_to(folder) and _fits(path.relative_to(folder), pattern):
                yield path / RECORD


def pack_of(experiment: Path) -> Pack | None:
    """The pack in an experiment's folder, if there is one.

    Raises:
        PackError: It is damaged.
    """
    try:
        state = _state(experiment / RUNS_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    for name in LOGS.values():
        with contextlib.suppress(FileNotFoundError):  # which opening it reports
            state += _state(experiment / name)
    return _opened(experiment, state)


class Pack:
    """The files of packed runs.

    Args:
        folder: Folder of the Parquet files.
        state: State of the files, which tells whether they were changed.

    Attributes:
        runs: The runs' ids, in the order of the files.

    Raises:
        PackError: A file is missing, damaged or of a later version.
    """

    def __init__(self, folder: Path, state: State = ()) -> None:
        self.folder, self.state = folder, state
        table = _read(folder / RUNS_FILE)
        self.runs: list[str] = table["run"].to_list()
        self._records = table["record"]
        self._places = {id_: place for place, id_ in enumerate(self.runs)}
        self._lines = {name: table[log_name(name)].to_list() for name in LOGS}
        self._logs: dict[str, _Log] = {}

    def has(self, run: str, name: str) -> bool:
        """Whether it holds this file of a run."""
        place = self._places.get(run)
        return place is not None and (name == RECORD or (name in LOGS and self._lines[name][place] is not None))

    def content(self, run: str, name: str) -> bytes | None:
        """The bytes of a run's file; None if it has none of this name.

        Raises:
            PackError: The pack is damaged.
        """
        if not self.has(run, name):
            return None
        place = self._places[run]
        if name == RECORD:
            return str(self._records[place]).encode()
        if name not in self._logs:
            self._logs[name] = _Log(self.folder / LOGS[name], self._lines[name])
        return self._logs[name].content(place)


class _Log:
    """The lines of all runs' logs of one name.

    Args:
        path: The Parquet file.
        lines: Number of lines of each run; None for a run without this log.
    """

    def __init__(self, path: Path, lines: Sequence[int | None]) -> None:
        self._path, self._lines = path, lines
        self._file = _open(path)
        self._starts = list(accumulate((count or 0 for count in lines), initial=0))
        sizes = [self._file.metadata.row_group(group).num_rows for group in range(self._file.num_row_groups)]
        self._groups = list(accumulate(sizes, initial=0))
        self._kept: OrderedDict[int, pl.Series] = OrderedDict()
        self._reading = threading.Lock()  # runs of a sweep may be in threads
        if self._groups[-1] != self._starts[-1]:
            raise _damaged(path, f"it has {self._groups[-1]} lines instead of {self._starts[-1]}")

    def content(self, place: int) -> bytes:
        """The log of one run."""
        count = self._lines[place] or 0
        found: list[str] = []
        while len(found) < count:  # a run is in one row group, unless another program wrote the file
            start = self._starts[place] + len(found)
            group = bisect_right(self._groups, start) - 1
            with self._reading:
                lines = self._group(group)
            found += lines.slice(start - self._groups[group], count - len(found)).to_list()
        return "".join(f"{line}\n" for line in found).encode()

    def _group(self, group: int) -> pl.Series:
        """The lines of one row group."""
        if group not in self._kept:
            import polars as pl

            try:
                self._kept[group] = lines_of(pl.DataFrame(self._file.read_row_group(group)))
            except (OSError, ValueError, pl.exceptions.PolarsError) as error:
                raise _damaged(self._path, error) from None
            if len(self._kept) > _GROUPS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(group)
        return self._kept[group]


def log_name(name: str) -> str:
    """``trials`` of trials.jsonl."""
    return name.partition(".")[0]


def lines_of(table: pl.DataFrame) -> pl.Series:
    """The lines of a log, from its columns."""
    import polars as pl

    fields = [name for name in table.columns if name not in (RUN, LINE)]
    if not fields:
        return table[LINE]
    marks = [pl.lit(f"{mark}{json.dumps(name)}:") for mark, name in zip("{" + "," * len(fields), fields, strict=False)]
    if not any(table[name].null_count() for name in fields) and table[LINE].null_count() == table.height:
        parts = [part for mark, name in zip(marks, fields, strict=True) for part in (mark, pl.col(name))]
        return table.select(pl.concat_str(*parts, pl.lit("}")).alias(LINE))[LINE]  # nearly always, and quicker
    members = [pl.concat_str(pl.lit(f",{json.dumps(name)}:"), name) for name in fields]
    joined = pl.concat_str(members, ignore_nulls=True).str.strip_prefix(",")
    return table.select(pl.coalesce(LINE, pl.concat_str(pl.lit("{"), joined, pl.lit("}"))).alias(LINE))[LINE]


@lru_cache(maxsize=8)
def _opened(experiment: Path, state: State) -> Pack:
    return Pack(experiment, state)


def _pack_around(path: Path) -> Pack | None:
    """The pack that may hold a run's file; None if the run's folder is on disk."""
    if len(path.parents) <= _LEVELS or path.with_name(RECORD).exists():
        return None
    return pack_of(path.parents[_LEVELS])


def _id_of(path: Path) -> str:
    return "/".join(path.parts[-_LEVELS - 1 : -1])


def _fits(run: PurePath, pattern: str) -> bool:
    return pattern == ANYWHERE or (len(run.parts) == len(PurePath(pattern).parts) and run.match(pattern))


def _state(path: Path) -> State:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ctime_ns, found.st_ino, found.st_dev


def _read(path: Path) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.DataFrame(_open(path).read())
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from None


def _open(path: Path) -> Any:
    """The Parquet file, whose pages are checked when they are read."""
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path, page_checksum_verification=True)
    except (OSError, ValueError) as error:  # pyarrow's errors are these
        raise _damaged(path, error) from None
    version = (file.schema_arrow.metadata or {}).get(VERSION_KEY)
    if version != VERSION:
        raise _damaged(path, "it is no pack of this version of the program")
    return file


def _damaged(path: Path, why: object) -> PackError:
    reason = str(why).partition("\n")[0].rstrip(".")
    return PackError(f"{path} cannot be read ({reason}); take the pack from a copy, or pack the experiment again.")
