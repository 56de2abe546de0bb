"""Which faults of a proposal a JSON schema of the space rules out, and which it does not speak of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analysis.lines import call_lines
from analysis.load import Experiment, Run
from harness.trial import Fault

JSON_SCHEMA = "json_schema"
KINDS = ("within", "beyond", "inactive", "forbidden", "missing_active")
"""Boolean columns: a fault that the schema rules out; one that it does not; and the three kinds of the latter."""


def judged(experiment: Experiment) -> pl.DataFrame:
    """``experiment.trials`` with the columns ``KINDS``.

    Names, types, ranges and choices are in the schema, conditions and forbidden combinations are not: an inactive
    hyperparameter is beyond it, and so is a missing one if it is conditional, for a schema cannot require it. Which
    ones are conditional is read from the schema that a run of the same task was decoded under; where there was none,
    what is missing counts as ruled out.
    """
    conditional = {task: _conditional(experiment, task) for task in experiment.tasks}
    place = {"run": pl.String, "index": pl.Int64}
    rows = [
        {"run": found.run.id, "index": int(found.row["index"])}
        | kinds(found.row["violations"], conditional[found.run.task])
        for found in experiment.invalid
        if found.candidate is None
    ]
    faulty = pl.DataFrame(rows, schema={**place, **dict.fromkeys(KINDS, pl.Boolean)})
    joined = experiment.trials.join(faulty, on=["run", "index"], how="left", maintain_order="left")
    return joined.with_columns(pl.col(KINDS).fill_null(False))


def kinds(violations: list[dict[str, Any]], conditional: frozenset[str]) -> dict[str, bool]:
    """One proposal's ``KINDS``, from its violations as logged."""
    found = [_kind(violation, conditional) for violation in violations]
    return {kind: kind in found for kind in KINDS} | {"beyond": any(kind != "within" for kind in found)}


def _kind(violation: dict[str, Any], conditional: frozenset[str]) -> str:
    if violation["fault"] in (Fault.INACTIVE, Fault.FORBIDDEN):
        return str(violation["fault"])
    if violation["fault"] == Fault.MISSING and violation["name"] in conditional:
        return "missing_active"
    return "within"


def conditional_names(schema: Mapping[str, Any]) -> frozenset[str]:
    """What an object of the schema, at any depth, may hold and need not: in ours, conditional hyperparameters."""
    properties, required = schema.get("properties"), schema.get("required")
    named = properties if isinstance(properties, dict) else {}
    optional = frozenset(named) - frozenset(map(str, required if isinstance(required, list) else ()))
    inner = [part for part in (*named.values(), schema.get("items")) if isinstance(part, dict)]
    return optional.union(*(conditional_names(part) for part in inner))


def _conditional(experiment: Experiment, task: str) -> frozenset[str]:
    """From the first run of the task that has a schema on record."""
    for run in experiment.runs:
        if run.task == task and JSON_SCHEMA in run.folder_method and (schema := _schema(run)) is not None:
            return conditional_names(schema)
    return frozenset()


def _schema(run: Run) -> Mapping[str, Any] | None:
    schemas = ((call.get("sampling") or {}).get("schema") for call in call_lines(run.folder / "calls.jsonl"))
    return next((schema for schema in schemas if isinstance(schema, dict)), None)
