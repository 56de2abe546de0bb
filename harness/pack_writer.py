"""Write the Parquet files of a packed experiment, and check that they give every file back."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from harness.errors import PackError
from harness.files import usable
from harness.packed import LINE, LOGS, RECORD, RUN, RUNS_FILE, VERSION, VERSION_KEY, Pack, lines_of, log_name

Files = Mapping[str, bytes]
"""Name -> contents of the files of a run; a log ends with a line end, and all are UTF-8."""

MOST_FIELDS = 64
"""Columns of a log; a log with more different fields is not one of this program."""
_GROUP_CHARACTERS = 32_000_000
"""Size of a row group, which is read as a whole."""
_LEVEL = 9
"""Of zstd: a tenth smaller than the default, and a second per 100,000 trials."""
_SPLIT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def write_pack(target: Path, runs: Iterable[tuple[str, Files]]) -> tuple[int, int]:
    """Write the pack of these runs into a folder; an earlier one is replaced when the new one is checked.

    Args:
        target: The folder.
        runs: Id and files of each run. Their order is that of the rows.

    Returns:
        The size of all files, and that of the pack, in bytes.

    Raises:
        DiskError: It cannot be written.
        PackError: A file that is read back is another one.
    """
    draft = target / f".pack.{os.getpid()}"
    with usable(target):
        draft.mkdir(parents=True)
        try:
            before, hashes = _write(draft, runs)
            _check(draft, hashes)
            after = sum(path.stat().st_size for path in draft.iterdir())
            for name in (*LOGS.values(), RUNS_FILE):
                (draft / name).replace(target / name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return before, after


def _write(folder: Path, runs: Iterable[tuple[str, Files]]) -> tuple[int, dict[str, dict[str, str]]]:
    """Write the three files; the size of what is packed, and the SHA-256 of each file of each run."""
    size, rows, hashes = 0, [], {}
    with _LogWriter(folder / "trials.parquet") as trials, _LogWriter(folder / "calls.parquet") as calls:
        writers = dict(zip(LOGS, (trials, calls), strict=True))
        for run, files in runs:
            size += sum(map(len, files.values()))
            hashes[run] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
            row: dict[str, Any] = {RUN: run, "record": files[RECORD].decode()}
            for name, writer in writers.items():
                row[log_name(name)] = writer.add(run, files[name]) if name in files else None
                row[f"{log_name(name)}_sha256"] = hashes[run].get(name)
            rows.append(row)
    logs = [pa.field(log_name(name), pa.int64()) for name in LOGS]
    logs += [pa.field(f"{log_name(name)}_sha256", pa.string()) for name in LOGS]
    schema = pa.schema([pa.field(RUN, pa.string()), pa.field("record", pa.large_string()), *logs])
    with _writer(folder / RUNS_FILE, schema) as file:
        file.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=1_000)
    return size, hashes


def _check(folder: Path, hashes: Mapping[str, Mapping[str, str]]) -> None:
    """Read everything back.

    Raises:
        PackError: A file is another one.
    """
    pack = Pack(folder)
    for run, known in hashes.items():
        for name, digest in known.items():
            content = pack.content(run, name)
            if content is None or hashlib.sha256(content).hexdigest() != digest:
                raise PackError(f"{name} of {run} cannot be restored from the pack, which was not written.")


class _LogWriter:
    """Writes the lines of all runs' logs of one name, whole runs per row group."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: ParquetWriter | None = None
        self._fields: list[str] = []
        self._runs: list[str] = []
        self._lines: list[str] = []
        self._size = 0

    def __enter__(self) -> _LogWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None and (self._lines or self._file is None):
            self._flush()
        if self._file is not None:
            self._file.close()

    def add(self, run: str, content: bytes) -> int:
        """Add the log of a run; returns the number of its lines."""
        lines = content.decode().split("\n")[:-1]
        self._runs += [run] * len(lines)
        self._lines += lines
        self._size += len(content)
        if self._size > _GROUP_CHARACTERS:
            self._flush()
        return len(lines)

    def _flush(self) -> None:
        """Write a row group. The first one decides which fields have columns."""
        rows = [_members(line) for line in self._lines]
        if self._file is None:
            self._fields = fields_of(rows)
            schema = pa.schema([pa.field(name, pa.large_string()) for name in (RUN, LINE, *self._fields)])
            self._file = _writer(self._path, schema)
        columns = {name: [row.get(name) for row in rows] for name in self._fields}
        table = pl.DataFrame({RUN: self._runs, LINE: [None] * len(rows), **columns}, schema=self._schema())
        whole = pl.DataFrame({LINE: self._lines}, schema={LINE: pl.String})[LINE]
        other = lines_of(table).ne_missing(whole)  # key order, spacing, a field without a column
        kept = [pl.when(~other).then(pl.col(name)).alias(name) for name in self._fields]
        table = table.with_columns(pl.when(other).then(whole).alias(LINE), *kept)
        self._file.write_table(table.to_arrow().cast(self._file.schema))
        self._runs, self._lines, self._size = [], [], 0

    def _schema(self) -> dict[str, type[pl.DataType]]:
        return dict.fromkeys((RUN, LINE, *self._fields), pl.String)


def fields_of(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The fields of lines, in an order that fits as many as possible: a new one stands after the one before it."""
    found: list[str] = []
    for row in rows:
        if row.keys() <= set(found):
            continue
        before = 0
        for name in row:
            if name not in found:
                if len(found) == MOST_FIELDS or name in (RUN, LINE):
                    break
                found.insert(before, name)
            before = found.index(name) + 1
    return found


def _members(line: str) -> dict[str, str]:
    """The JSON text of each field of a line; none if it is no object."""
    try:
        return {name: bytes(raw).decode() for name, raw in _SPLIT.decode(line).items()}
    except (ValueError, RecursionError):
        return {}


def _writer(path: Path, schema: pa.Schema) -> ParquetWriter:
    marked = schema.with_metadata({VERSION_KEY: VERSION})
    return ParquetWriter(path, marked, compression="zstd", compression_level=_LEVEL, write_page_checksum=True)
