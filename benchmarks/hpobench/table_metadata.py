"""Read a table's ``metadata.json``: its space, default, fidelities and measures.

HPOBench's own files were written with ConfigSpace 0.4: ``config_spaces`` holds four spaces, each as JSON *inside* a
string: ``x`` and ``z`` (hyperparameters and fidelities as ranges), ``x_discrete`` and ``z_discrete`` (their levels).
Levels are floats of single precision there (a depth of 3.0, a share of 0.10000000149011612). Here, integer
hyperparameters have integer levels and the others the shortest decimal of the same single-precision number, which
gives the levels of ``hpobench.py``. An ordinal's default is its first level there; here it is the level nearest to
HPOBench's default (in log space if the hyperparameter is logarithmic).

Files of ``python -m benchmarks.tabulate`` hold the same under ``hyperbole`` without loss, conditions included.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace, OrdinalHyperparameter

from benchmarks.hpobench.hpobench import DATA_SETS
from benchmarks.hpobench.hpobench_spaces import MODELS, search_space
from benchmarks.lookup.parquet_arrays import Columns
from harness.choices import values_of
from harness.errors import SettingError
from harness.problem import Description, Direction, Fidelity, Objective, Params
from harness.space import default_of

OWN = "hyperbole"
"""Key of the part that only tabulate writes."""

SCORES = {"accuracy": "acc", "balanced_accuracy": "bal_acc", "f1": "f1", "precision": "precision"}
"""Our name of a score -> the name in the files."""

OBJECTIVES = {
    "balanced_accuracy": Objective("balanced_accuracy", "maximize"),
    "accuracy": Objective("accuracy", "maximize"),
    "f1": Objective("f1", "maximize"),
    "precision": Objective("precision", "maximize"),
    "train_seconds": Objective("train_seconds", "minimize"),
}
"""Possible objectives in HPOBench's tables, the default first."""

SECONDS = "evaluation_seconds"
PATHS = {
    SECONDS: "result.cost",
    "train_seconds": "result.info.model_cost",
    **{name: f"result.info.val_scores.{theirs}" for name, theirs in SCORES.items()},
    **{f"test_{name}": f"result.info.test_scores.{theirs}" for name, theirs in SCORES.items()},
}
"""Columns of the measures in HPOBench's files."""

REASON = "result.info.error"


@dataclass(frozen=True, slots=True)
class TableMetadata:
    """Description of a table.

    Attributes:
        space: The search space; every hyperparameter has finitely many values.
        default: The default configuration.
        columns: The columns of the parquet file.
        fidelities: Fidelities with more than one level.
        objectives: The table's objectives, without optimum and worst value.
        description, contexts, hints: As in ``Problem``.
    """

    space: ConfigurationSpace
    default: Params
    columns: Columns
    fidelities: tuple[Fidelity, ...]
    objectives: tuple[Objective, ...]
    description: Description
    contexts: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)


def read_metadata(file: Path, name: str, model: str, task: str) -> TableMetadata:
    """Read a table's metadata.

    Args:
        file: ``<model>_<task>_metadata.json``.
        name: Name of the search space made from HPOBench's own files.
        model: Model, for the description of HPOBench's own tables.
        task: OpenML task id, likewise.

    Raises:
        SettingError: The file is missing, damaged, or not metadata of a table.
    """
    try:
        metadata = json.loads(file.read_bytes())
        return _own(metadata[OWN]) if OWN in metadata else _official(metadata["config_spaces"], name, model, task)
    except FileNotFoundError:
        raise SettingError(f"{file} is missing beside its table; unpack both again.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingError(f"{file} is damaged or not the metadata of a table ({error!r}); unpack it again.") from None


def _own(metadata: Mapping[str, Any]) -> TableMetadata:
    space = ConfigurationSpace.from_serialized_dict(metadata["space"])
    levels = {name: tuple(known["levels"]) for name, known in metadata["fidelities"].items()}
    fidelities = tuple(
        Fidelity(name, known["levels"][0], known["levels"][-1], known["integer"])
        for name, known in metadata["fidelities"].items()
        if len(known["levels"]) > 1
    )
    return TableMetadata(
        space=space,
        default=metadata["default"],
        columns=Columns(levels_of(space), levels, metadata["measures"], REASON),
        fidelities=fidelities,
        objectives=tuple(_objective(**objective) for objective in metadata["objectives"]),
        description=_told(metadata["description"]),
        contexts=metadata["contexts"],
        hints=metadata["hints"],
    )


def _told(said: Any) -> Description:
    """Older files have one text of both: it is kept from where the model alone is to be told."""
    return Description(data=said) if isinstance(said, str) else Description(**said)


def _official(spaces: Mapping[str, Any], name: str, model: str, task: str) -> TableMetadata:
    ranges = _parts(spaces["x"])
    known = search_space(name, model, grid=False) if model in MODELS else ConfigurationSpace()
    space = ConfigurationSpace(name=name)
    for key, part in _parts(spaces["x_discrete"]).items():
        space.add(_ordinal(part, ranges.get(key, part), known[key].meta if key in known else None))
    wholes = {key for key, part in _parts(spaces["z"]).items() if _whole(part)}
    levels = {
        key: tuple(sorted(_clean(level, key in wholes) for level in _levels(part)))
        for key, part in _parts(spaces["z_discrete"]).items()
    }
    fidelities = tuple(Fidelity(key, at[0], at[-1], key in wholes) for key, at in levels.items() if len(at) > 1)
    return TableMetadata(
        space=space,
        default=default_of(space),
        columns=Columns(levels_of(space), levels, PATHS),
        fidelities=fidelities,
        objectives=(OBJECTIVES["balanced_accuracy"],),
        description=describe(model, task),
    )


def levels_of(space: ConfigurationSpace) -> dict[str, tuple[Any, ...]]:
    """Name of each hyperparameter -> all its values."""
    return {name: tuple(values_of(space[name])) for name in space}


def _ordinal(
    part: Mapping[str, Any], range_: Mapping[str, Any], meta: Mapping[Hashable, Any] | None
) -> OrdinalHyperparameter:
    levels = [_clean(level, _whole(range_)) for level in _levels(part)]
    scale = math.log if range_.get("log") else float
    wanted = range_.get("default", levels[0])
    default = min(levels, key=lambda level: abs(scale(level) - scale(wanted)))
    return OrdinalHyperparameter(part["name"], levels, default_value=default, meta=meta)


def _parts(space: str | Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The hyperparameters of a ConfigSpace 0.4 space by name."""
    read = json.loads(space) if isinstance(space, str) else space
    return {part["name"]: part for part in read["hyperparameters"]}


def _levels(part: Mapping[str, Any]) -> Sequence[float]:
    if part["type"] == "constant":
        return [part["value"]]
    if part["type"] != "ordinal":
        raise ValueError(f"{part['name']} is {part['type']}, not ordinal")
    levels: Sequence[float] = part["sequence"]
    return levels


def _whole(part: Mapping[str, Any]) -> bool:
    return part["type"] == "uniform_int" or (part["type"] == "constant" and isinstance(part["value"], int))


def _clean(level: float, whole: bool) -> float:
    return round(level) if whole else float(str(np.float32(level)))


def describe(model: str, task: str) -> Description:
    """Model and data, for prompts."""
    data = next((one for one in DATA_SETS.values() if str(one.openml_task) == task), None)
    first = (
        f"{MODELS[model].title} is tuned: {MODELS[model].tuned}." if model in MODELS else f"The model {model} is tuned."
    )
    if data is None:
        return Description(first, f"The data set is that of OpenML task {task}.")
    return Description(
        first,
        f"The data set is {data.name} (OpenML task {task}): "
        f"{data.rows} rows, {data.features} features, {data.classes} classes.",
    )


def _objective(name: str, direction: Direction, scale: Sequence[float] | None = None) -> Objective:
    return Objective(name, direction, scale=None if scale is None else (float(scale[0]), float(scale[1])))
