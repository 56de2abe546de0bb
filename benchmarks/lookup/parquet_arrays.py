"""Columns of a parquet file as arrays, converted once and cached.

Only the requested columns and fields of nested columns are read. The first use of a file writes them as plain arrays
to ``$XDG_CACHE_HOME/hyperbole/tables/`` (``~/.cache`` if the variable is not set); later uses map these into memory. A
folder there is named by the file's path, size and time and by the columns, so another file never gets old arrays.
Arrays whose checksum is wrong are written again. If the folder is not writable, the file is read every time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shutil
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.lookup.table_cache import cache_folder
from harness.choices import loggable
from harness.errors import SettingError
from harness.problem import Scalar

LAYOUT = 1
"""Increased when the arrays change shape or meaning, so that older ones are not used."""

SAME = 1e-6
"""Relative difference below which two numbers are one level: HPOBench stores them in single precision."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns to read from a file.

    Attributes:
        hyperparameters: Name (and column) -> levels. The column is null in rows where it is inactive.
        fidelities: Name (and column) -> levels, increasing.
        measures: Name -> column, for example ``result.info.val_scores.bal_acc``.
        reason: Column with the reasons of failed evaluations, in files that keep failures.
    """

    hyperparameters: Mapping[str, Sequence[Any]]
    fidelities: Mapping[str, Sequence[float]]
    measures: Mapping[str, str]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Arrays:
    """A file's contents.

    Attributes:
        codes: (configurations,) mixed-radix numbers with level indices as digits, increasing.
        values: (seeds + 1, fidelity levels, configurations, measures); the last seed is the mean over all seeds.
            NaN if not measured.
        seeds: Seeds, increasing.
        measures: The measures of the file.
        reasons: ``seed,level,configuration`` as positions -> reason of the failed evaluation.
    """

    codes: NDArray[np.int64]
    values: NDArray[np.float64]
    seeds: tuple[int, ...]
    measures: tuple[str, ...]
    reasons: Mapping[str, str]


def stored(levels: Sequence[Any]) -> list[Scalar]:
    """Levels as stored in a column of one type: unchanged, or as JSON if they are not all of one scalar type."""
    kinds = {_column_type(level) for level in levels}
    return list(levels) if len(kinds) == 1 and None not in kinds else [json.dumps(loggable(level)) for level in levels]


def _column_type(level: Any) -> str | None:
    if isinstance(level, bool):
        return "bool"
    return "text" if isinstance(level, str) else "number" if isinstance(level, int | float) else None


def read(file: Path, columns: Columns) -> Arrays:
    """Read the file's arrays, from the cache if possible.

    Raises:
        SettingError: The file is damaged, or lacks these columns and levels.
    """
    state = file.stat()
    identity = (LAYOUT, str(file.resolve()), state.st_size, state.st_mtime_ns, columns)
    digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{file.name.partition('.')[0]}-{digest}"
    arrays = _load(folder)
    if arrays is None:
        arrays = _convert(file, columns)
        _save(folder, arrays)
    return arrays


def _convert(file: Path, columns: Columns) -> Arrays:
    import pyarrow  # slow to import, once per file
    import pyarrow.parquet

    named = [*columns.hyperparameters, *columns.fidelities, "seed"]
    try:
        source = pyarrow.parquet.ParquetFile(file)
        there = {source.schema.column(number).path for number in range(len(source.schema.names))}
        measures = {name: path for name, path in columns.measures.items() if path in there}
        reason = [path for path in (columns.reason,) if path is not None and path in there]
        if missing := [name for name in named if name not in there] or (() if measures else ["result"]):
            raise SettingError(f"{file} has no column {missing[0]}, which its metadata list; unpack both files again.")
        table = source.read(columns=[*named, *measures.values(), *reason])
    except (OSError, pyarrow.ArrowException) as error:
        raise SettingError(f"{file} is damaged or not a parquet file ({_line(error)}); unpack it again.") from None
    codes, _ = _numbers(table, columns.hyperparameters, file, inactive=1)
    levels, level_count = _numbers(table, columns.fidelities, file, inactive=0)
    configurations, rows = np.unique(codes, return_inverse=True)
    seeds, seed_rows = np.unique(_field(table, "seed").to_numpy().astype(np.int64), return_inverse=True)
    values = np.full((len(seeds) + 1, level_count, len(configurations), len(measures)), np.nan)
    for position, path in enumerate(measures.values()):
        values[seed_rows, levels, rows, position] = _field(table, path).to_numpy().astype(np.float64)
    values[-1] = values[:-1].mean(axis=0)
    reasons = {}
    for failure in reason:
        for position, text in enumerate(_field(table, failure).to_pylist()):
            if text is not None:
                reasons[f"{seed_rows[position]},{levels[position]},{rows[position]}"] = text
    return Arrays(configurations, values, tuple(int(seed) for seed in seeds), tuple(measures), reasons)


def _numbers(
    table: Any, columns: Mapping[str, Sequence[Any]], file: Path, inactive: int
) -> tuple[NDArray[np.int64], int]:
    """Each row's mixed-radix number, and the number of possible ones."""
    sizes = [len(levels) + inactive for levels in columns.values()]
    if math.prod(sizes) > np.iinfo(np.int64).max:
        raise SettingError(f"{file} has a space with too many levels to number; tabulate a smaller one.")
    numbers = np.zeros(table.num_rows, dtype=np.int64)
    for (name, levels), size in zip(columns.items(), sizes, strict=True):
        numbers = numbers * size + _positions(_field(table, name), levels, f"{file} holds {name} =")
    return numbers, math.prod(sizes)


def _positions(column: Any, levels: Sequence[Any], said: str) -> NDArray[np.int64]:
    """(rows,) index of each row's level; the number of levels if the column is null."""
    encoded = column.combine_chunks().dictionary_encode()
    known = stored(levels)
    found = []
    for value in encoded.dictionary.to_pylist():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        near = [at for at, level in enumerate(known) if level == value or (number and _same(level, value))]
        if not near and not (number and math.isnan(value)):
            raise SettingError(f"{said} {value!r}, which its metadata do not list; unpack both files again.")
        found.append(near[0] if near else len(levels))  # pandas may write null as NaN
    indices = encoded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
    positions: NDArray[np.int64] = np.array([*found, len(levels)], dtype=np.int64)[indices]
    return positions


def _same(level: Any, value: float) -> bool:
    return not isinstance(level, str) and abs(level - value) <= SAME * abs(level)


def _field(table: Any, path: str) -> Any:
    """A column, or a field of a nested one; null if its parent is null."""
    import pyarrow.compute

    first, *rest = path.split(".")
    column = table.column(first)
    for part in rest:
        column = pyarrow.compute.struct_field(column, part)
    return column


def _load(folder: Path) -> Arrays | None:
    """Cached arrays; None if missing or damaged."""
    try:
        about = json.loads((folder / "about.json").read_bytes())
        codes = np.load(folder / "codes.npy", allow_pickle=False)
        values = np.asarray(np.load(folder / "values.npy", allow_pickle=False, mmap_mode="r"))
        if about["checksum"] != _checksum(codes, values):
            return None
        return Arrays(codes, values, tuple(about["seeds"]), tuple(about["measures"]), about["reasons"])
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _save(folder: Path, arrays: Arrays) -> None:
    """Write a cache folder atomically, so that parallel jobs see all of it or nothing."""
    about = {
        "checksum": _checksum(arrays.codes, arrays.values),
        "seeds": arrays.seeds,
        "measures": arrays.measures,
        "reasons": arrays.reasons,
    }
    with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
        folder.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}.tmp"))
        try:
            np.save(half / "codes.npy", arrays.codes)
            np.save(half / "values.npy", arrays.values)
            (half / "about.json").write_text(json.dumps(about), encoding="ascii")
            shutil.rmtree(folder, ignore_errors=True)  # its checksum was wrong
            half.rename(folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)


def _checksum(codes: NDArray[np.int64], values: NDArray[np.float64]) -> int:
    return zlib.crc32(np.ascontiguousarray(values).data, zlib.crc32(codes.data))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
