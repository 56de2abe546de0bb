"""The search space as a JSON schema, for servers that decode under one."""

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
    """A JSON schema of the space's configurations, made of what JSON has alone; choices are said in their form in JSON.

    ``branches``: an object for every case of the conditions (``harness.branches``), under ``anyOf`` where there are
    several. In each, parents are held to the values of the case, active hyperparameters are required, inactive ones
    are no keys, and forbidden combinations are left out. Not said are relations of two ranges, and what is more than
    ``harness.branches.MOST_BRANCHES``; run.json names it as ``schema_leaves_out``.

    ``flat``: one object. A conditional hyperparameter is optional, whatever its parent's value, and a forbidden
    combination is an object like any other.

    Properties come parents first, else in the space's order, and no others are allowed. Without conditions and
    forbidden clauses both forms are the same.

    A float has a largest number of decimals (``multipleOf``): three more than its lower bound needs if logarithmic,
    four digits of the range if linear. That bounds the digits a model can ramble on with, and it makes any vLLM
    decode with llguidance, which keeps the bounds to the letter. vLLM's first choice, xgrammar 0.2, writes at most six
    decimals: of 1e-8..1, nothing below 1e-6 could be reached. Below zero there is no such number of decimals, since
    llguidance then takes no negative number at all.

    Raises:
        SettingError: A hyperparameter of a kind that has no schema.
    """
    if form == "flat":
        optional = set(space.conditional_hyperparameters)
        return _object(space, tuple(Entry(name, None, name in optional) for name in space))
    cases = [_object(space, branch) for branch in branches_of(space).branches]
    return cases[0] if len(cases) == 1 else {"anyOf": cases}


def with_optional(schema: dict[str, Any], key: str, value: dict[str, Any]) -> dict[str, Any]:
    """A schema of ``json_schema`` whose objects may hold one more key, last."""
    if "anyOf" in schema:
        return {"anyOf": [with_optional(case, key, value) for case in schema["anyOf"]]}
    return schema | {"properties": schema["properties"] | {key: value}}


def fidelity_schema(fidelities: Sequence[Fidelity]) -> dict[str, Any]:
    """An object with a number for each fidelity, in its bounds; each may be left out, which means the highest."""
    properties = {
        known.name: {"type": "integer", "minimum": int(known.lower), "maximum": int(known.upper)}
        if known.integer
        else _number(float(known.lower), float(known.upper), log=False)
        for known in fidelities
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def list_schema(item: dict[str, Any], key: str, count: int, reasoning: bool) -> dict[str, Any]:
    """An object that holds exactly ``count`` items under a key, after some reasoning if asked for."""
    listed = {key: {"type": "array", "items": item, "minItems": count, "maxItems": count}}
    return closed_object({"reasoning": REASONING} | listed if reasoning else listed)


def closed_object(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with these properties, all of them, and no others."""
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
        SettingError: It is of a kind that has no schema.
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
    """Floats below zero apart from the others: llguidance 1.7 lets no negative number be a multiple of anything."""
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
        return bounds  # too fine for multiples: every server then writes as many digits as it can
    return {**bounds, "multipleOf": float(f"1e-{min(decimals, FINEST_DECIMALS)}")}
