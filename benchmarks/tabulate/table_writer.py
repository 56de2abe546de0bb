"""Write evaluations as a table in HPOBench's official layout, which ``hpobench_tables`` reads.

Scores of HPOBench are in HPOBench's columns; other measures are in ``result.info.others``, and the reason of a failed
evaluation in ``result.info.error``. Columns are exact (HPOBench's have single precision), and null if a hyperparameter
is inactive. Both files are written under temporary names and then renamed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.hpobench.table_metadata import OWN, PATHS, REASON, SCORES, SECONDS, levels_of
from benchmarks.lookup.parquet_arrays import stored
from harness.choices import key_of, loggable
from harness.problem import Objective, Params, Problem, Scalar

OTHERS = "result.info.others"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One row.

    Attributes:
        params: The configuration.
        fidelity: Value of every fidelity.
        seed: Seed of the evaluation.
        measures: As reported; None if it failed.
        seconds: Its cost, or None.
        error: Why it failed, or None.
    """

    params: Params
    fidelity: Mapping[str, float]
    seed: int
    measures: Mapping[str, float] | None
    seconds: float | None
    error: str | None


def write_table(
    data: Path,
    metadata: Path,
    problem: Problem,
    levels: Mapping[str, Sequence[float]],
    rows: Sequence[Evaluation],
    said: Mapping[str, Any],
) -> None:
    """Write both files. The metadata are written last, so a table with metadata is complete.

    Args:
        data: Path of the parquet file; its folder exists.
        metadata: Path of the JSON file.
        problem: Problem of the evaluated benchmark.
        levels: Fidelity -> tabulated levels, increasing.
        rows: Every evaluation, in the order to be written.
        said: Further entries of the record, including ``task`` and ``model``.
    """
    measured = sorted({name for row in rows for name in row.measures or ()})
    paths = {SECONDS: PATHS[SECONDS], **{name: path_of(name) for name in measured}}
    _write_data(data, problem, levels, rows, paths)
    integers = {fidelity.name: fidelity.integer for fidelity in problem.fidelities}
    own = {
        "space": problem.space.to_serialized_dict(),
        "default": loggable(problem.default),
        "objectives": [
            {"name": known.name, "direction": known.direction, "scale": known.scale} for known in problem.objectives
        ],
        "fidelities": {name: {"levels": list(at), "integer": integers[name]} for name, at in levels.items()},
        "measures": paths,
        "description": asdict(problem.description),
        "contexts": dict(problem.contexts),
        "hints": dict(problem.hints),
        **said,
    }
    seeds = sorted({row.seed for row in rows})
    fidelities = {name: _ordinal(name, at, at[-1]) for name, at in levels.items()}
    official = {
        "exp_args": {"task_id": said["task"], "space": said["model"], "n_seeds": len(seeds), "seeds": seeds},
        "config_spaces": _spaces(problem, fidelities.values()),
        "global_min": _lowest(rows, levels, paths),
        OWN: own,
    }
    _in_one_step(metadata, json.dumps(official, indent=1, default=loggable).encode("ascii"))


def path_of(name: str) -> str:
    """Column of a measure in the parquet file."""
    return PATHS.get(name) or f"{OTHERS}.{name}"


def _write_data(
    file: Path,
    problem: Problem,
    levels: Mapping[str, Sequence[float]],
    rows: Sequence[Evaluation],
    paths: Mapping[str, str],
) -> None:
    import pyarrow
    import pyarrow.parquet

    columns: dict[str, Any] = {}
    for name, known in sorted(levels_of(problem.space).items()):
        to_file = dict(zip(map(key_of, known), stored(known), strict=True))
        columns[name] = pyarrow.array(
            [to_file[key_of(row.params[name])] if name in row.params else None for row in rows]
        )
    for name in sorted(levels):
        columns[name] = pyarrow.array([row.fidelity[name] for row in rows])
    columns["seed"] = pyarrow.array([row.seed for row in rows], pyarrow.int64())
    columns["result"] = _nested("result", _leaves(problem, rows, paths))
    half = file.with_name(f".{file.name}.{os.getpid()}")
    pyarrow.parquet.write_table(pyarrow.table(columns), half)
    half.replace(file)


def _leaves(problem: Problem, rows: Sequence[Evaluation], paths: Mapping[str, str]) -> dict[str, Any]:
    """Path -> column."""
    import pyarrow

    first = problem.objectives[0]
    leaves = {"result.function_value": pyarrow.array([_loss(first, row) for row in rows], pyarrow.float64())}
    for name, path in paths.items():
        values = [row.seconds if name == SECONDS else (row.measures or {}).get(name) for row in rows]
        leaves[path] = pyarrow.array(values, pyarrow.float64())
    leaves[REASON] = pyarrow.array([row.error for row in rows], pyarrow.string())
    return leaves


def _loss(objective: Objective, row: Evaluation) -> float | None:
    return None if row.measures is None else objective.loss(row.measures[objective.name])


def _nested(prefix: str, leaves: Mapping[str, Any]) -> Any:
    """Combine columns by path into one nested column."""
    import pyarrow

    if prefix in leaves:
        return leaves[prefix]
    names = dict.fromkeys(
        path.removeprefix(f"{prefix}.").split(".")[0] for path in leaves if path.startswith(f"{prefix}.")
    )
    return pyarrow.StructArray.from_arrays([_nested(f"{prefix}.{name}", leaves) for name in names], names=list(names))


def _spaces(problem: Problem, fidelities: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The four spaces in the format of ConfigSpace 0.4; those of ranges hold the levels, since there are no ranges."""
    serialized = problem.space.to_serialized_dict()
    parts = []
    for part in serialized["hyperparameters"]:
        name = part["name"]
        if part["type"] == "categorical":
            shares = {"choices": part["choices"], "default": part["default_value"], "weights": part["weights"]}
            parts.append({"name": name, "type": "categorical", **shares})
        elif part["type"] == "constant":
            parts.append({"name": name, "type": "constant", "value": part["value"]})
        else:
            parts.append(_ordinal(name, levels_of(problem.space)[name], part["default_value"]))
    kept = {"conditions": serialized["conditions"], "forbiddens": serialized["forbiddens"], "json_format_version": 0.2}
    x = json.dumps({"hyperparameters": parts, **kept}, default=loggable)
    z = json.dumps(
        {"hyperparameters": list(fidelities), "conditions": [], "forbiddens": [], "json_format_version": 0.2}
    )
    return {"x": x, "x_discrete": x, "z": z, "z_discrete": z}


def _ordinal(name: str, levels: Sequence[Scalar], default: Scalar) -> dict[str, Any]:
    return {"name": name, "type": "ordinal", "sequence": list(levels), "default": default}


def _lowest(
    rows: Sequence[Evaluation], levels: Mapping[str, Sequence[float]], paths: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """HPOBench's global_min: the lowest 1 - score at the highest fidelity."""
    highest = {name: at[-1] for name, at in levels.items()}
    top = [row.measures for row in rows if row.measures is not None and dict(row.fidelity) == highest]
    lowest: dict[str, dict[str, float]] = {"val": {}, "test": {}}
    for part, prefix in (("val", ""), ("test", "test_")):
        for name, theirs in SCORES.items():
            scores = [measures[prefix + name] for measures in top if prefix + name in measures]
            if prefix + name in paths and scores:
                lowest[part][theirs] = 1 - max(scores)
    return lowest


def _in_one_step(file: Path, content: bytes) -> None:
    half = file.with_name(f".{file.name}.{os.getpid()}")
    half.write_bytes(content)
    half.replace(file)
