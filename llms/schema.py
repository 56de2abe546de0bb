"""The search space as a JSON schema, for servers that decode under one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import FloatHyperparameter, Hyperparameter, IntegerHyperparameter

from harness.choices import Choices, has_choices
from harness.errors import SettingError
from harness.problem import Fidelity

REASONING: dict[str, Any] = {"type": "string", "maxLength": 400}
"""The property that holds the reasoning before an answer."""
FINEST_DECIMALS = 10  # llguidance refuses multiples below 1e-10: "too many digits"


def json_schema(space: ConfigurationSpace) -> dict[str, Any]:
    """A JSON schema of the space's configurations, made of what JSON has alone; choices are said in their form in JSON.

    Properties come in the space's order, and no others are allowed. Hyperparameters that are always active are
    required. Conditions and forbidden clauses cannot be said in this language: a conditional hyperparameter is
    optional, whatever its parent's value, and a forbidden combination is an object like any other.

    A float has a largest number of decimals (``multipleOf``): three more than its lower bound needs if logarithmic,
    four digits of the range if linear. That bounds the digits a model can ramble on with, and it makes any vLLM
    decode with llguidance, which keeps the bounds to the letter. vLLM's first choice, xgrammar 0.2, writes at most six
    decimals: of 1e-8..1, nothing below 1e-6 could be reached.

    Raises:
        SettingError: A hyperparameter of a kind that has no schema.
    """
    optional = set(space.conditional_hyperparameters)
    return {
        "type": "object",
        "properties": {name: _property(hyperparameter) for name, hyperparameter in space.items()},
        "required": [name for name in space if name not in optional],
        "additionalProperties": False,
    }


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


def _property(hyperparameter: Hyperparameter[Any, Any]) -> dict[str, Any]:
    if isinstance(hyperparameter, IntegerHyperparameter):
        return {"type": "integer", "minimum": int(hyperparameter.lower), "maximum": int(hyperparameter.upper)}
    if isinstance(hyperparameter, FloatHyperparameter):
        return _number(float(hyperparameter.lower), float(hyperparameter.upper), bool(hyperparameter.log))
    if has_choices(hyperparameter):
        return {"enum": list(Choices(hyperparameter).forms)}
    raise SettingError(
        f"Hyperparameter {hyperparameter.name!r} is a {type(hyperparameter).__name__}, which has no JSON schema; "
        "use decoding=json_object or decoding=free for this task."
    )


def _number(lower: float, upper: float, log: bool) -> dict[str, Any]:
    bounds = {"type": "number", "minimum": lower, "maximum": upper}
    smallest = lower / 1e3 if log else (upper - lower) / 1e4
    decimals = max(0, math.ceil(-math.log10(smallest))) if smallest > 0 else FINEST_DECIMALS
    if decimals > FINEST_DECIMALS and lower < 10.0**-FINEST_DECIMALS:
        return bounds  # too fine for multiples: every server then writes as many digits as it can
    return {**bounds, "multipleOf": float(f"1e-{min(decimals, FINEST_DECIMALS)}")}
