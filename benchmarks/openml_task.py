"""One OpenML task: its data, target and official split, read through the openml client.

Source: Vanschoren et al., "OpenML: networked science in machine learning", SIGKDD Explorations 2013. The client's own
cache is used, so a task that lies there needs no network, and any other is downloaded by the client.

Every file is checked before it is believed: the ARFF against the MD5 that OpenML publishes with it (the client checks
that only while downloading), the split against the number of rows.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.openml_checks import DamagedFileError, check_arff, check_split, check_xml, discard
from benchmarks.openml_client import client, one_at_a_time, put_back, sentence
from harness.errors import SettingError

if TYPE_CHECKING:
    import pandas

Rows = NDArray[np.int64]
Kind = Literal["classification", "regression"]


@dataclass(frozen=True, slots=True, eq=False)
class OpenMLTask:
    """A supervised task; shared by all who load it, so nothing in it may be changed.

    Attributes:
        task_id: OpenML's number; 0 for data from elsewhere in the same form.
        name: Of the data set.
        kind: Of the task.
        target: Name of the target column.
        features: A row for each example; ignored and row-number columns are left out. Categories are kept (as
            strings), missing values too.
        values: The target: class codes 0..k-1 in the order of ``classes``, or floats.
        classes: Names of the classes that occur; empty for regression.
        categorical: For each feature, whether it is one.
        train: Row positions of the training part of the official split; rows without a target are left out.
        test: Likewise of the test fold.
        description: OpenML's text about the data set, perhaps empty.
        qualities: OpenML's meta-features; empty where the server has none, or cannot be asked.
        checksum: SHA-256 of data, target and split.
    """

    task_id: int
    name: str
    kind: Kind
    target: str
    features: pandas.DataFrame
    values: NDArray[Any]
    classes: tuple[str, ...]
    categorical: tuple[bool, ...]
    train: Rows
    test: Rows
    description: str
    qualities: dict[str, float]
    checksum: str


def load_task(task_id: int, folder: str | None = None, fold: int = 0, repeat: int = 0) -> OpenMLTask:
    """Load a task from the client's cache, or download it; remembered for the life of the process.

    Args:
        task_id: OpenML's number of a supervised classification or regression task.
        folder: Root folder of the client's cache; None for the client's own (``~/.cache/openml``).
        fold: Test fold of the official split.
        repeat: Repeat of the official split.

    Raises:
        SettingError: The task cannot be had or read, is of another kind, or has no such fold.
    """
    return _remembered(task_id, folder, fold, repeat)


@cache
def _remembered(task_id: int, folder: str | None, fold: int, repeat: int) -> OpenMLTask:
    what = f"OpenML task {task_id}"
    with client(folder) as where:
        existing = set(where.glob("*/*/*"))
        try:
            with one_at_a_time(where, what), put_back(_folders(task_id, where)):
                return _load(task_id, where, fold, repeat)
        except SettingError:
            raise
        except DamagedFileError as error:
            if error.path in existing:
                raise SettingError(f"{error}; delete {error.path.parent} and try again.") from None
            discard(error.path)
            raise SettingError(
                f"A file of {what} arrived damaged ({error.reason}); it was not kept, so try again later."
            ) from None
        except Exception as error:
            for path in set(where.glob("*/*/*.xml")) - existing:
                try:
                    check_xml(path)
                except DamagedFileError:
                    discard(path)
            raise sentence(error, what, where) from None


def _load(task_id: int, where: Path, fold: int, repeat: int) -> OpenMLTask:
    import openml

    task_folder = where / "tasks" / str(task_id)
    for path in (path for folder in _folders(task_id, where) for path in folder.glob("*.xml")):
        check_xml(path)
    task = openml.tasks.get_task(task_id)
    kind = _kind(task)
    data_folder = where / "datasets" / str(task.dataset_id)
    data = openml.datasets.get_dataset(task.dataset_id, download_data=True, download_features_meta_data=True)
    md5 = check_arff(data_folder / "dataset.arff", data.md5_checksum)
    features, target, categorical, _ = data.get_data(target=task.target_name)
    train, test = _split(task, task_folder / "datasplits.arff", fold, repeat, len(features))
    values, classes, known = _values(target, kind)
    identity = (md5, task.target_name, list(features.columns), classes, train.tolist(), test.tolist())
    return OpenMLTask(
        task_id=task_id,
        name=data.name,
        kind=kind,
        target=task.target_name,
        features=_plain(features, categorical),
        values=values,
        classes=classes,
        categorical=tuple(categorical),
        train=train[known[train]],
        test=test[known[test]],
        description=(data.description or "").strip(),
        qualities=_qualities(data),
        checksum=hashlib.sha256(repr(identity).encode()).hexdigest(),
    )


def _folders(task_id: int, where: Path) -> list[Path]:
    """The task's folder, and its data set's if that is known before the client looks."""
    folder = where / "tasks" / str(task_id)
    file = folder / "task.xml"
    known = re.search(r"data_set_id>\s*(\d+)", file.read_text(encoding="utf8")) if file.is_file() else None
    return [folder] if known is None else [folder, where / "datasets" / known[1]]


def _kind(task: Any) -> Kind:
    from openml.tasks import TaskType

    kinds: dict[Any, Kind] = {
        TaskType.SUPERVISED_CLASSIFICATION: "classification",
        TaskType.SUPERVISED_REGRESSION: "regression",
    }
    if task.task_type_id not in kinds:
        raise SettingError(
            f"OpenML task {task.task_id} is of the type {task.task_type!r}; choose a supervised classification or "
            "supervised regression task."
        )
    return kinds[task.task_type_id]


def _split(task: Any, path: Path, fold: int, repeat: int, rows: int) -> tuple[Rows, Rows]:
    """Train and test positions of one fold, in the order of the published file."""
    try:
        task.split = task.download_split()
    except Exception as error:
        if not path.is_file():
            raise  # it never came; else it is the file that cannot be read
        raise DamagedFileError(path, f"it is no list of splits ({error})") from None
    repeats, folds, _ = task.get_split_dimensions()
    for name, value, count in (("repeat", repeat, repeats), ("fold", fold, folds)):
        if value not in range(count):
            raise SettingError(f"{name} is {value!r}; OpenML task {task.task_id} has {name}s 0 to {count - 1}.")
    train, test = (part.astype(np.int64) for part in task.split.get(repeat=repeat, fold=fold))
    once = task.estimation_procedure["type"] == "crossvalidation"
    check_split(path, train, test, rows, once)
    return train, test


def _values(target: pandas.Series, kind: Kind) -> tuple[NDArray[Any], tuple[str, ...], NDArray[np.bool_]]:
    """The target as numbers, the names of its classes, and which rows have one."""
    import pandas

    if kind == "regression":
        values = pandas.to_numeric(target).to_numpy(dtype=float)
        return values, (), ~np.isnan(values)
    classes = pandas.Categorical(target).remove_unused_categories()
    return classes.codes.astype(np.int64), tuple(map(str, classes.categories)), classes.codes >= 0


def _plain(features: pandas.DataFrame, categorical: list[bool]) -> pandas.DataFrame:
    """Numbers as dense floats and categories as strings (the client makes booleans of ``True`` and ``False``)."""
    from pandas.api.types import is_numeric_dtype

    plain = features.copy()
    for name, is_categorical in zip(features.columns, categorical, strict=True):
        column = features[name]
        if is_categorical and hasattr(column, "cat"):
            plain[name] = column.cat.rename_categories(str)
        elif is_numeric_dtype(column.dtype):
            plain[name] = column.astype(float)
    return plain


def _qualities(data: Any) -> dict[str, float]:
    import openml
    from requests.exceptions import RequestException

    tries = openml.config.connection_n_retries
    openml.config.connection_n_retries = 1  # everything else is there: do not wait for a network that may not be
    try:
        qualities = data.qualities or {}
    except (openml.exceptions.OpenMLServerException, RequestException):  # some data sets have none
        return {}
    finally:
        openml.config.connection_n_retries = tries
    return {name: float(value) for name, value in sorted(qualities.items()) if value is not None}
