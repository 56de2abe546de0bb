"""Read OpenML's description of a task without the client.

The client (0.15) fails on task types that it does not support, and reads all data of a task with a text target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.openml.openml_checks import DamagedFileError
from benchmarks.openml.openml_client import api_text
from harness.errors import SettingError

Kind = Literal["classification", "regression"]
KINDS: dict[str, Kind] = {"1": "classification", "2": "regression"}
"""OpenML's ids of the supported task types."""


@dataclass(frozen=True, slots=True)
class Description:
    """A supervised task.

    Attributes:
        kind: Type of the task.
        data: OpenML's id of its data set.
        target: The column to predict.
        procedure: OpenML's name of the estimation procedure, for example ``crossvalidation``.
        splits_url: URL of its splits.
    """

    kind: Kind
    data: int
    target: str
    procedure: str
    splits_url: str


def describe_task(task_id: int, path: Path) -> Description:
    """Read the description; download it if missing.

    Args:
        task_id: OpenML task id.
        path: Its path in the client's cache.

    Raises:
        SettingError: The task has an unsupported type, or no target or splits.
        DamagedFileError: The description cannot be read.
    """
    if path.is_file():
        return _description(task_id, path, path.read_text(encoding="utf-8"))
    text = api_text(f"task/{task_id}")
    found = _description(task_id, path, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return found


def _description(task_id: int, path: Path, text: str) -> Description:
    import xmltodict  # type: ignore[import-untyped] # comes with openml

    try:
        task = xmltodict.parse(text, force_list=("oml:input",))["oml:task"]
        number, name = str(task["oml:task_type_id"]).strip(), task.get("oml:task_type") or "unnamed"
        inputs = {given["@name"]: given for given in task["oml:input"]}
    except Exception as error:
        raise DamagedFileError(path, f"it is not the well-formed XML of a task ({error})") from None
    if number not in KINDS:
        raise SettingError(
            f"OpenML task {task_id} has the type {name!r}; choose a supervised classification or "
            "supervised regression task."
        )
    data = _part(inputs, "source_data", "oml:data_set")
    procedure = _part(inputs, "estimation_procedure", "oml:estimation_procedure")
    kind, target, url = procedure.get("oml:type"), data.get("oml:target_feature"), procedure.get("oml:data_splits_url")
    for what, value in (("data set", data.get("oml:data_set_id")), ("target", target), ("splits", url)):
        if not value:
            raise SettingError(
                f"OpenML task {task_id} ({name}, estimation procedure {kind!r}) has no {what}; choose a task with a "
                "target and published splits."
            )
    return Description(KINDS[number], int(data["oml:data_set_id"]), str(target), str(kind), str(url))


def _part(inputs: Mapping[str, Any], name: str, child: str) -> Mapping[str, Any]:
    found = (inputs.get(name) or {}).get(child)
    return found if isinstance(found, Mapping) else {}
