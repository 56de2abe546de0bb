"""The official split of an OpenML task: training and test rows of each repeat and fold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.openml.openml_arff import attribute
from benchmarks.openml.openml_checks import DamagedFileError, check_split
from harness.errors import SettingError

if TYPE_CHECKING:
    import pandas

Rows = NDArray[np.int64]
CROSS_VALIDATION = "crossvalidation"


def read_split(path: Path, task_id: int, procedure: str, fold: int, repeat: int, rows: int) -> tuple[Rows, Rows]:
    """Train and test positions of one fold, in the order of the published file.

    Args:
        path: The file of the splits.
        task_id: OpenML task id.
        procedure: The task's estimation procedure, as OpenML names it.
        fold: The fold.
        repeat: The repeat.
        rows: Number of rows of the data.

    Raises:
        SettingError: There is no such fold, or some of its test rows are training rows.
        DamagedFileError: The file cannot be read, or does not fit the data.
    """
    listed = _listed(path)
    _refuse_other("repeat", repeat, _known(listed["repeat"]), task_id)
    listed = listed[listed["repeat"] == repeat]
    _refuse_other("fold", fold, _known(listed["fold"]), task_id)
    listed = listed[listed["fold"] == fold]
    train, test = (listed["rowid"][listed["type"] == part].to_numpy(dtype=np.int64) for part in ("TRAIN", "TEST"))
    both = np.intersect1d(train, test)
    if procedure != CROSS_VALIDATION and len(both):
        raise SettingError(
            f"OpenML task {task_id} (estimation procedure {procedure!r}) has {len(both)} rows in training and test; "
            f"choose a task with cross-validation or a holdout."
        )
    check_split(path, train, test, rows, procedure == CROSS_VALIDATION)
    return train, test


def _listed(path: Path) -> pandas.DataFrame:
    """The list of splits: one line per row and fold. Read with pandas, since there may be millions of lines."""
    import pandas

    try:
        with path.open(encoding="utf-8-sig") as file:
            names = _names(file)
            given = pandas.read_csv(
                file, names=names, comment="%", quotechar="'", skipinitialspace=True, skip_blank_lines=True
            )
        given["type"] = given["type"].str.strip().str.upper()
        numbers = ["rowid", "repeat", "fold", *(name for name in ("sample",) if name in given)]
        given[numbers] = given[numbers].astype(float).astype(np.int64)
    except (ValueError, KeyError, AttributeError) as error:
        raise DamagedFileError(path, f"it is not a list of splits ({' '.join(str(error).split())})") from None
    if given.empty or not given["type"].isin(("TRAIN", "TEST")).all():
        raise DamagedFileError(path, "it is not a list of splits (no rows, or one that is neither TRAIN nor TEST)")
    return given[given["sample"] == 0] if "sample" in given else given


def _names(lines: Iterable[str]) -> list[str]:
    names = []
    for line in lines:
        if found := attribute(line):
            names.append(found[0].lower())
        elif line.lstrip().lower().startswith("@data"):
            return names
    raise ValueError("it has no @DATA line")


def _known(column: pandas.Series) -> list[int]:
    return [int(number) for number in np.unique(column)]


def _refuse_other(name: str, value: int, known: Sequence[int], task_id: int) -> None:
    if type(value) is int and value in known:
        return
    there = f"0 to {known[-1]}" if list(known) == list(range(len(known))) else ", ".join(map(str, known))
    raise SettingError(f"{name} is {value!r}; OpenML task {task_id} has {name}s {there}.")
