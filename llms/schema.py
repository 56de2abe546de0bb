"""The search space as a JSON schema, for structured decoding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import FloatHyperparameter, Hyperparameter, IntegerHyperparameter

from harness.branches import Branch, Entry, branches_of
from harness.chat import SchemaForm
from harness.choices import Choices, has_choices
from harness.errors import SettingError
from harness.parts import Interval, Part, whole
from harness.problem import Fidelity

REASONING: dict[str, Any] = {"type": "string", "maxLength": 400}
"""The property that holds the reasoning before an answer."""
FINEST_DECIMALS = 10  # llguidance refuses multiples below 1e-10: "too many digits"


def json_schema(space: ConfigurationSpace, form: SchemaForm = "branches") -> dict[str, Any]:
    """A JSON schema of the space's configurations, with choices in their JSON form.

    ``branches``: one object per case of the conditions (``harness.branches``), under ``anyOf`` if there are several.
    In each, parents are limited to the values of the case, active hyperparameters are required, inactive ones are
    left out, and so are forbidden combinations. Not expressed are relations between two ranges and anything beyond
    ``harness.branches.MOST_BRANCHES``; run.json lists them in ``schema_leaves_out``.

    ``flat``: one object. A conditional hyperparameter is optional, whatever its parent's value, and forbidden
    combinations are allowed.

    Properties are ordered parents first, then as in the space; no others are allowed. Without conditions and
    forbidden clauses both forms are identical.

    The number of decimals of a float is limited (``multipleOf``): three more than its lower bound needs if
    logarithmic, four digits of the range if linear. This bounds the digits that a model can write, and makes vLLM
    decode with llguidance, which keeps the bounds exactly. vLLM's default, xgrammar 0.2, writes at most six decimals:
    in 1e-8..1, nothing below 1e-6 could be reached. Negative floats have no such limit, since llguidance then accepts
    no negative number at all.

    Raises:
        SettingError: A hyperparameter's type has no schema.
    """
    if form == "flat":
        optional = set(space.conditional_hyperparameters)
        return _object(space, tuple(Entry(name, None, name in optional) for name in space))
    cases = [_object(space, branch) for branch in branches_of(space).branches]
    return cases[0] if len(cases) == 1 else {"anyOf": cases}


def with_optional(schema: dict[str, Any], key: str, value: dict[str, Any]) -> dict[str, Any]:
    """A ``json_schema`` schema whose objects may hold one more key at the end."""
    if "anyOf" in schema:
        return {"anyOf": [with_optional(case, key, value) for case in schema["anyOf"]]}
    return schema | {"properties": schema["properties"] | {key: value}}


def fidelity_schema(fidelities: Sequence[Fidelity]) -> dict[str, Any]:
    """An object with a number per fidelity, within its bounds. A missing one means the highest fidelity."""
    properties = {
        known.name: {"type": "integer", "minimum": int(known.lower), "maximum": int(known.upper)}
        if known.integer
        else _number(float(known.lower), float(known.upper), log=False)
        for known in fidelities
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def list_schema(item: dict[str, Any], key: str, count: int, reasoning: bool) -> dict[str, Any]:
    """An object with exactly ``count`` items under a key, after the reasoning if requested."""
    listed = {key: {"type": "array", "items": item, "minItems": count, "maxItems": count}}
    return closed_object({"reasoning": REASONING} | listed if reasoning else listed)


def closed_object(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _object(space: ConfigurationSpace, branch: Branch) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {entry.name: _property(space[entry.name], entry.part) for entry in branch},
        "required": [entry.name for entry in branch if not entry.optional],
        "additionalProperties": False,
    }


def _property(hyperparameter: Hyperparameter[Any, Any], part: Part | None) -> dict[str, Any]:
    """The values of a hyperparameter, or of a part of it.

    Raises:
        SettingError: Its type has no schema.
    """
    if has_choices(hyperparameter):
        forms = Choices(hyperparameter).forms
        places: Any = whole(hyperparameter) if part is None else part
        return {"enum": [forms[place] for place in places]}
    if not isinstance(hyperparameter, IntegerHyperparameter | FloatHyperparameter):
        raise SettingError(
            f"Hyperparameter {hyperparameter.name!r} is a {type(hyperparameter).__name__}, which has no JSON schema; "
            "use decoding=json_object or decoding=free for this task."
        )
    intervals: Any = whole(hyperparameter) if part is None else part
    pieces = [_piece(hyperparameter, piece) for interval in intervals for piece in _by_sign(hyperparameter, interval)]
    return pieces[0] if len(pieces) == 1 else {"anyOf": pieces}


def _by_sign(hyperparameter: Any, interval: Interval) -> list[Interval]:
    """Split negative floats from the others: llguidance 1.7 accepts no negative number under ``multipleOf``."""
    if isinstance(hyperparameter, IntegerHyperparameter) or not interval.lower < 0 < interval.upper:
        return [interval]
    return [replace(interval, upper=0.0, below=True), replace(interval, lower=0.0, above=False)]


def _piece(hyperparameter: Any, interval: Interval) -> dict[str, Any]:
    if isinstance(hyperparameter, IntegerHyperparameter):
        return {"type": "integer", "minimum": int(interval.lower), "maximum": int(interval.upper)}
    if interval.one:
        return {"enum": [float(interval.lower)]}
    number = _number(float(interval.lower), float(interval.upper), bool(hyperparameter.log))
    if interval.above:
        number["exclusiveMinimum"] = number.pop("minimum")
    if interval.below:
        number["exclusiveMaximum"] = number.pop("maximum")
    return number


def _number(lower: float, upper: float, log: bool) -> dict[str, Any]:
    bounds = {"type": "number", "minimum": lower, "maximum": upper}
    if lower < 0:
        return bounds  # see _by_sign
    smallest = lower / 1e3 if log else (upper - lower) / 1e4
    decimals = max(0, math.ceil(-math.log10(smallest))) if smallest > 0 else FINEST_DECIMALS
    if decimals > FINEST_DECIMALS and lower < 10.0**-FINEST_DECIMALS:
        return bounds  # too fine for multipleOf: servers then write as many digits as they can
    return {**bounds, "multipleOf": float(f"1e-{min(decimals, FINEST_DECIMALS)}")}
