"""Writes evaluations as a table in the layout of HPOBench's official ones, which ``hpobench_tables`` reads.

Scores that HPOBench has stand where HPOBench has them; all else that was measured is in ``result.info.others``, and the
reason of a failed evaluation in ``result.info.error``. Columns are exact (HPOBench's are of single precision), and null
where a hyperparameter is inactive. Both files are written beside their final places and then renamed.
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
        fidelity: Every fidelity by name.
        seed: Of the evaluation.
        measures: As reported; None where it failed.
        seconds: What it cost, or None.
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
    """Write both files; the metadata last, so that where they are, the table is complete.

    Args:
        data: Place of the parquet file; its folder is there.
        metadata: Place of the JSON file.
        problem: Of the benchmark that was evaluated.
        levels: Fidelity -> its tabulated levels, rising.
        rows: Every evaluation, in the order to be written.
        said: What else to record; ``task`` and ``model`` among it.
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
    """Where a measure stands in the parquet file."""
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
    """Path -> its column."""
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
    """Columns by path as one nested column."""
    import pyarrow

    if prefix in leaves:
        return leaves[prefix]
    names = dict.fromkeys(
        path.removeprefix(f"{prefix}.").split(".")[0] for path in leaves if path.startswith(f"{prefix}.")
    )
    return pyarrow.StructArray.from_arrays([_nested(f"{prefix}.{name}", leaves) for name in names], names=list(names))


def _spaces(problem: Problem, fidelities: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The four spaces as ConfigSpace 0.4 wrote them; there is none of ranges, so the levels stand for it."""
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
