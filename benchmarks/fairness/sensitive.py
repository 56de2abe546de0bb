"""Data sets with a sensitive attribute: the groups, and the rows of COMPAS.

Three of the four are OpenML tasks with their official split. COMPAS is ProPublica's file of two-year recidivism (Larson
et al. 2016), filtered as in their analysis; it has no official split: a third of its rows, stratified, seed 1, is the
test part. Groups follow the literature; small ones are merged, since differences between a few people are noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.openml.openml_task import OpenMLTask, load_task
from benchmarks.shared.setting_checks import one_of
from harness.cache import data_folder
from harness.errors import SettingError

if TYPE_CHECKING:
    import pandas

Groups = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A sensitive attribute: its column, and the mapping from the column's values to groups."""

    column: str
    group: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Source:
    """Source of a data set, and its sensitive attributes; the first is the default.

    Attributes:
        openml_task: None for COMPAS.
        attributes: Name -> attribute.
    """

    openml_task: int | None
    attributes: dict[str, Attribute]


def _named(*names: str) -> Callable[[Any], str]:
    return lambda value: str(value) if value in names else "other"


SOURCES = {
    "adult": Source(7592, {"sex": Attribute("sex", str), "race": Attribute("race", _named("White"))}),
    "credit_g": Source(
        31,
        {
            "sex": Attribute("personal_status", lambda status: str(status).partition(" ")[0]),
            "age": Attribute("age", lambda years: "to 25" if years <= 25 else "above 25"),  # Kamiran and Calders 2009
        },
    ),
    "bank_marketing": Source(
        14965,
        {
            "age": Attribute("V1", lambda years: "25 to 60" if 25 <= years <= 60 else "younger or older"),
            "marital": Attribute("V3", _named("married")),
        },
    ),
    "compas": Source(
        None,
        {"race": Attribute("race", _named("African-American", "Caucasian")), "sex": Attribute("sex", str)},
    ),
}
"""OpenML calls the columns of bank-marketing V1 to V16; V1 is the age, V3 the marital status."""

COMPAS_FILE = "compas-scores-two-years.csv"
COMPAS_URL = "https://github.com/propublica/compas-analysis"
COMPAS_FEATURES = {
    "sex": True,
    "age": False,
    "race": True,
    "juv_fel_count": False,
    "juv_misd_count": False,
    "juv_other_count": False,
    "priors_count": False,
    "c_charge_degree": True,
}
"""Features known before the score: name -> whether categorical. The score itself is left out."""


def load_sensitive(name: str, attribute: str | None, folder: str | None) -> tuple[OpenMLTask, Groups, str]:
    """A data set, the group of each of its rows, and the attribute's name.

    Args:
        name: One of ``SOURCES``.
        attribute: One of its sensitive attributes; None for the first.
        folder: Root of the OpenML client's cache, or the folder of COMPAS's file; None for the default.

    Raises:
        SettingError: The data are not available, or there is no such attribute.
    """
    source = SOURCES[one_of("fairness task", name, SOURCES)]
    attribute = next(iter(source.attributes)) if attribute is None else attribute
    known = source.attributes[one_of(f"sensitive attribute of {name}", attribute, source.attributes)]
    task = load_compas(folder) if source.openml_task is None else load_task(source.openml_task, folder)
    return task, _groups(name, task, known), attribute


def _groups(name: str, task: OpenMLTask, attribute: Attribute) -> Groups:
    """The group of each row.

    Raises:
        SettingError: The attributes do not fit the data.
    """
    known = attribute.column in task.features and task.features[attribute.column].notna().all()
    if task.kind != "classification" or len(task.classes) != 2 or not known:
        raise SettingError(
            f"OpenML task {task.task_id} ({task.name}) is not the expected {name}: it must have two "
            f"classes and a column {attribute.column!r} without missing values; set another cache with "
            "benchmark.folder."
        )
    return np.array([attribute.group(value) for value in task.features[attribute.column]])


def load_compas(folder: str | None) -> OpenMLTask:
    """ProPublica's file, with the rows that their analysis keeps.

    Raises:
        SettingError: The file is missing, or it is another one.
    """
    import pandas

    path = (data_folder() / "compas" if folder is None else Path(folder).expanduser()) / COMPAS_FILE
    try:
        text = path.read_bytes()
    except OSError:
        raise SettingError(
            f"There is no file {path}; download {COMPAS_FILE} from {COMPAS_URL} and set benchmark.folder."
        ) from None
    try:
        rows = _kept(pandas.read_csv(path))
        features = rows[list(COMPAS_FEATURES)].reset_index(drop=True)
        values = rows["two_year_recid"].to_numpy(dtype=int)
    except (KeyError, ValueError) as error:
        raise SettingError(f"{path} is not ProPublica's file ({error}); download it again from {COMPAS_URL}.") from None
    train, test = _split(values)
    return OpenMLTask(
        task_id=0,
        name="COMPAS",
        kind="classification",
        target="two_year_recid",
        features=features,
        values=values,
        classes=("no", "yes"),
        categorical=tuple(COMPAS_FEATURES.values()),
        train=train,
        test=test,
        description="Recidivism within two years of people scored by COMPAS in Broward County, Florida (ProPublica).",
        qualities={},
        checksum=hashlib.sha256(text).hexdigest(),
    )


def _kept(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Rows scored within 30 days of the arrest, for an offence with jail time, with a known outcome and score."""
    near = rows["days_b_screening_arrest"].between(-30, 30)
    known = (rows["is_recid"] != -1) & (rows["c_charge_degree"] != "O") & rows["score_text"].notna()
    return rows[near & known & (rows["score_text"] != "N/A")]


def _split(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(np.arange(len(values)), test_size=1 / 3, stratify=values, random_state=1)
    return np.sort(train), np.sort(test)
