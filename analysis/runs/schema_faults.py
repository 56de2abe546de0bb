"""Classify faults by whether a JSON schema of the space rules them out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from analysis.runs.lines import call_lines
from analysis.runs.load import Experiment, Run
from harness.label import SCHEMA, decoding_mode
from harness.trial import Fault

KINDS = ("within", "beyond", "inactive", "forbidden", "missing_active")
"""Boolean columns: a fault that the schema rules out; one that it does not; and three faults that only a schema with
branches rules out."""

Schema = Mapping[str, Any]


def judged(experiment: Experiment) -> pl.DataFrame:
    """``experiment.trials`` with the columns ``KINDS``.

    The schema is the recorded one of the run, else that of the task's run whose schema leaves the fewest
    hyperparameters optional. Names, types, ranges and choices are in every schema. An optional hyperparameter can be
    inactive or missing under the schema, and a forbidden combination is beyond it if some object admits it; both hold
    for flat schemas (all schemas before there were branches). Without a recorded schema, inactive and forbidden count
    as beyond it, and missing as ruled out.
    """
    own = {run.id: _schema(run) if decoding_mode(run.info) == SCHEMA else None for run in experiment.runs}
    of_task = {
        task: _fullest([own[run.id] for run in experiment.runs if run.task == task]) for task in experiment.tasks
    }
    place = {"run": pl.String, "index": pl.Int64}
    rows = [
        {"run": found.run.id, "index": int(found.row["index"])}
        | kinds(found.row["violations"], own[found.run.id] or of_task[found.run.task])
        for found in experiment.invalid
        if found.candidate is None
    ]
    faulty = pl.DataFrame(rows, schema={**place, **dict.fromkeys(KINDS, pl.Boolean)})
    joined = experiment.trials.join(faulty, on=["run", "index"], how="left", maintain_order="left")
    return joined.with_columns(pl.col(KINDS).fill_null(False))


def kinds(violations: Sequence[Mapping[str, Any]], schema: Schema | None) -> dict[str, bool]:
    """One proposal's ``KINDS``, from its logged violations and the schema (None if not recorded)."""
    admitted = [_admits(schema, violation) for violation in violations]
    conditional = conditional_names(schema or {})
    found = {"within": not all(admitted), "beyond": any(admitted)}
    found |= {
        str(fault): any(each["fault"] == fault for each in violations) for fault in (Fault.INACTIVE, Fault.FORBIDDEN)
    }
    missing = (each["name"] for each in violations if each["fault"] == Fault.MISSING)
    return found | {"missing_active": any(name in conditional for name in missing)}


def conditional_names(schema: Schema) -> frozenset[str]:
    """Properties that an object of the schema may lack; in our schemas, conditional hyperparameters."""
    return optional_names(schema).union(*(_in_some(found) for found in _alternatives(schema)))


def optional_names(schema: Schema) -> frozenset[str]:
    """Optional properties of the schema's objects, at any depth."""
    optional = (
        frozenset(each["properties"]) - frozenset(map(str, each.get("required") or ())) for each in _objects(schema)
    )
    return frozenset[str]().union(*optional)


def _admits(schema: Schema | None, violation: Mapping[str, Any]) -> bool:
    """Whether an object of the schema can have this fault."""
    fault, name = violation["fault"], violation["name"]
    if fault == Fault.FORBIDDEN:
        values = violation.get("value")
        return (
            schema is None or not isinstance(values, Mapping) or any(_holds(each, values) for each in _objects(schema))
        )
    if fault == Fault.INACTIVE:
        return schema is None or name in optional_names(schema)
    return fault == Fault.MISSING and schema is not None and name in optional_names(schema)


def _holds(found: Schema, values: Mapping[str, Any]) -> bool:
    properties = found["properties"]
    return all(name in properties and _fits(properties[name], value) for name, value in values.items())


def _fits(said: Any, value: Any) -> bool:
    """Whether a value fits the schema of a hyperparameter."""
    if not isinstance(said, Mapping):
        return True
    if isinstance(cases := said.get("anyOf"), list):
        return any(_fits(case, value) for case in cases)
    if isinstance(choices := said.get("enum"), list):
        return any(type(choice) is type(value) and choice == value for choice in choices) or (
            _is_number(value) and any(_is_number(choice) and choice == value for choice in choices)
        )
    if not _is_number(value):
        return False
    lower, upper = said.get("minimum", -math.inf), said.get("maximum", math.inf)
    above, below = said.get("exclusiveMinimum", -math.inf), said.get("exclusiveMaximum", math.inf)
    return bool(lower <= value <= upper and above < value < below)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _objects(schema: Any) -> Iterator[Schema]:
    """The schema's objects, at any depth."""
    if not isinstance(schema, Mapping):
        return
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        yield schema
        for part in properties.values():
            yield from _objects(part)
    yield from _objects(schema.get("items"))
    for case in schema["anyOf"] if isinstance(schema.get("anyOf"), list) else ():
        yield from _objects(case)


def _alternatives(schema: Any) -> Iterator[list[Schema]]:
    """The objects of each ``anyOf``, at any depth."""
    if isinstance(schema, Mapping):
        if isinstance(cases := schema.get("anyOf"), list):
            yield [case for case in cases if isinstance(case, Mapping) and isinstance(case.get("properties"), Mapping)]
        properties = schema.get("properties")
        for part in (*(properties.values() if isinstance(properties, Mapping) else ()), schema.get("items")):
            yield from _alternatives(part)


def _in_some(cases: Sequence[Schema]) -> frozenset[str]:
    """Names that only some of the objects have."""
    names = [frozenset(case["properties"]) for case in cases]
    return frozenset[str]().union(*names) - frozenset.intersection(*names) if names else frozenset()


def _fullest(schemas: Sequence[Schema | None]) -> Schema | None:
    found = [schema for schema in schemas if schema is not None]
    return min(found, key=lambda schema: len(optional_names(schema)), default=None)


def _schema(run: Run) -> Schema | None:
    schemas = ((call.get("sampling") or {}).get("schema") for call in call_lines(run.folder / "calls.jsonl"))
    return next((schema for schema in schemas if isinstance(schema, dict)), None)
