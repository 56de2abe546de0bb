"""One OpenML task: its data, target and official split.

Source: Vanschoren et al., "OpenML: networked science in machine learning", SIGKDD Explorations 2013. The openml
client's cache is used: a cached task needs no network, and others are downloaded by the client.

Every file is verified: the ARFF with the MD5 that OpenML publishes (the client checks it only while downloading), the
split with the number of rows. The client only downloads; ``openml_arff``, ``openml_description`` and
``openml_splits`` read the files.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.openml.openml_arff import read_arff
from benchmarks.openml.openml_checks import DamagedFileError, check_arff, check_xml, discard
from benchmarks.openml.openml_client import client, download_text, one_at_a_time, put_back, sentence
from benchmarks.openml.openml_description import Description, Kind, describe_task
from benchmarks.openml.openml_splits import read_split
from harness.errors import SettingError, unknown

if TYPE_CHECKING:
    import pandas

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class OpenMLTask:
    """A supervised task. It is shared, so it must not be modified.

    Attributes:
        task_id: OpenML task id; 0 for data from other sources.
        name: Name of the data set.
        kind: Type of the task.
        target: Name of the target column.
        features: One row per example, without ignored and row-number columns. Categories are strings; missing values
            are kept.
        values: The target: class codes 0..k-1 in the order of ``classes``, or floats.
        classes: Names of the occurring classes; empty for regression.
        categorical: Whether each feature is categorical.
        train: Row positions of the official split's training part, without rows whose target is missing.
        test: Row positions of the test fold, likewise.
        description: OpenML's text about the data set; may be empty.
        qualities: OpenML's meta-features; empty if the server has none or cannot be reached.
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

    @property
    def usable(self) -> tuple[str, ...]:
        """Names of the numeric and categorical features; models cannot use text and dates."""
        from pandas.api.types import is_numeric_dtype

        kinds = zip(self.features.columns, self.features.dtypes, self.categorical, strict=True)
        return tuple(name for name, dtype, is_category in kinds if is_category or is_numeric_dtype(dtype))


def load_task(task_id: int, folder: str | None = None, fold: int = 0, repeat: int = 0) -> OpenMLTask:
    """Load a task from the client's cache, or download it; cached in the process.

    Args:
        task_id: OpenML task id of a supervised classification or regression task.
        folder: Root folder of the client's cache; None for the client's own (``~/.cache/openml``).
        fold: Test fold of the official split.
        repeat: Repeat of the official split.

    Raises:
        SettingError: The task is not available, cannot be read, has another type, or has no such fold.
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
                f"The download of a file of {what} is damaged ({error.reason}); it was removed, so try again later."
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
    task = describe_task(task_id, task_folder / "task.xml")
    arff, splits = where / "datasets" / str(task.data) / "dataset.arff", task_folder / "datasplits.arff"
    data = openml.datasets.get_dataset(task.data, download_data=True, download_features_meta_data=True)
    md5 = check_arff(arff, data.md5_checksum)
    whole = read_arff(arff, md5)
    target = _target(task, task_id, list(whole.columns))
    left_out = {target, *_named(data.row_id_attribute, whole), *_named(data.ignore_attribute, whole)}
    features = whole[[name for name in whole.columns if name not in left_out]]
    if not splits.is_file():
        download_text(task.splits_url, splits)
    train, test = read_split(splits, task_id, task.procedure, fold, repeat, len(whole))
    values, classes, known = _values(whole[target], task.kind, task_id)
    identity = (md5, task.target, list(features.columns), classes, train.tolist(), test.tolist())
    return OpenMLTask(
        task_id=task_id,
        name=data.name,
        kind=task.kind,
        target=target,
        features=features,
        values=values,
        classes=classes,
        categorical=tuple(str(dtype) == "category" for dtype in features.dtypes),
        train=train[known[train]],
        test=test[known[test]],
        description=(data.description or "").strip(),
        qualities=_qualities(data),
        checksum=hashlib.sha256(repr(identity).encode()).hexdigest(),
    )


def _folders(task_id: int, where: Path) -> list[Path]:
    """The task's folder, and that of its data set if known before the client is called."""
    folder = where / "tasks" / str(task_id)
    file = folder / "task.xml"
    known = re.search(r"data_set_id>\s*(\d+)", file.read_text(encoding="utf8")) if file.is_file() else None
    return [folder] if known is None else [folder, where / "datasets" / known[1]]


def _target(task: Description, task_id: int, columns: Sequence[str]) -> str:
    """The target column's exact name; XML may have lost surrounding spaces.

    Raises:
        SettingError: There is no such column, or there are several targets.
    """
    for name in columns:
        if task.target in (name, name.strip()):
            return name
    parts = [part.strip() for part in task.target.split(",")]
    if len(parts) > 1 and set(parts) <= set(columns):
        raise SettingError(
            f"OpenML task {task_id} has {len(parts)} target columns ({', '.join(parts)}), but models here predict "
            "one; choose a task with one target."
        )
    raise unknown(f"target column of OpenML task {task_id}", task.target, columns)


def _named(given: str | Sequence[str] | None, whole: pandas.DataFrame) -> list[str]:
    """Columns named in the data set's description, as one string or several."""
    names = [given] if isinstance(given, str) else list(given or ())
    return [part for name in names for part in ([name] if name in whole else map(str.strip, name.split(",")))]


def _values(target: pandas.Series, kind: Kind, task_id: int) -> tuple[NDArray[Any], tuple[str, ...], NDArray[np.bool_]]:
    """The target as numbers, the names of its classes, and a mask of the rows with a target."""
    import pandas

    if kind == "regression":
        texts = target.astype("str") if str(target.dtype) == "category" else target  # numbers declared as nominal
        values = pandas.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
        if len(wrong := target[np.isnan(values) & target.notna().to_numpy()]):
            raise SettingError(
                f"The target {target.name!r} of OpenML task {task_id} holds {wrong.iloc[0]!r}, which is not a number; "
                "choose another regression task."
            )
        return values, (), ~np.isnan(values)
    classes = pandas.Categorical(target).remove_unused_categories()
    return classes.codes.astype(np.int64), tuple(map(str, classes.categories)), classes.codes >= 0


def _qualities(data: Any) -> dict[str, float]:
    import openml
    from requests.exceptions import RequestException

    tries = openml.config.connection_n_retries
    openml.config.connection_n_retries = 1  # the rest is cached, so do not wait for the network
    try:
        qualities = data.qualities or {}
    except (openml.exceptions.OpenMLServerException, RequestException):  # some data sets have no qualities
        return {}
    finally:
        openml.config.connection_n_retries = tries
    return {name: float(value) for name, value in sorted(qualities.items()) if value is not None}
