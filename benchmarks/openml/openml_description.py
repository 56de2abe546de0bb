"""What an OpenML task is: the file that OpenML describes it in, read without the client.

The client (0.15) builds no task whose type it does not support, and reads the whole data of one with a text target.
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
"""OpenML's numbers of the types of tasks that a model can be tuned on."""


@dataclass(frozen=True, slots=True)
class Description:
    """A supervised task.

    Attributes:
        kind: Its type.
        data: OpenML's number of its data set.
        target: The column to predict.
        procedure: OpenML's name of the estimation procedure, ``crossvalidation`` for example.
        splits_url: Where its splits are.
    """

    kind: Kind
    data: int
    target: str
    procedure: str
    splits_url: str


def describe_task(task_id: int, path: Path) -> Description:
    """Read the description, or download it first.

    Args:
        task_id: OpenML's number.
        path: Where the client keeps it.

    Raises:
        SettingError: The task is of another type, or has no target or no splits.
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
        raise DamagedFileError(path, f"it is not well-formed XML of a task ({error})") from None
    if number not in KINDS:
        raise SettingError(
            f"OpenML task {task_id} is of the type {name!r}; choose a supervised classification or "
            "supervised regression task."
        )
    data = _part(inputs, "source_data", "oml:data_set")
    procedure = _part(inputs, "estimation_procedure", "oml:estimation_procedure")
    kind, target, url = procedure.get("oml:type"), data.get("oml:target_feature"), procedure.get("oml:data_splits_url")
    for what, value in (("data set", data.get("oml:data_set_id")), ("target", target), ("splits", url)):
        if not value:
            raise SettingError(
                f"OpenML task {task_id} ({name}, estimation procedure {kind!r}) names no {what}; choose a task with a "
                "target and published splits."
            )
    return Description(KINDS[number], int(data["oml:data_set_id"]), str(target), str(kind), str(url))


def _part(inputs: Mapping[str, Any], name: str, child: str) -> Mapping[str, Any]:
    found = (inputs.get(name) or {}).get(child)
    return found if isinstance(found, Mapping) else {}
