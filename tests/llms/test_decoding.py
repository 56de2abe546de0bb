"""Decoding settings and the JSON schema of a search space."""

from __future__ import annotations

import json

import jsonschema
import pytest
from ConfigSpace import (
    Categorical,
    ConfigurationSpace,
    Constant,
    EqualsCondition,
    Float,
    ForbiddenEqualsClause,
    Integer,
    OrdinalHyperparameter,
)
from hydra.utils import instantiate

from harness.errors import SettingError
from llms.decoding import Decoding
from llms.schema import json_schema
from tests.support.chosen import chosen


@pytest.mark.parametrize("mode", ["free", "json_object", "json_schema"])
def test_every_mode_is_a_file(mode):
    assert instantiate(chosen("decoding", mode)) == Decoding(mode, 200, None)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"mode": "json_shema"}, "json_schema"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": "200"}, "max_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"schema": "branch"}, "branches"),
        ({"schema": None}, "decoding.schema"),
    ],
)
def test_bad_settings_are_named(settings, named):
    with pytest.raises(SettingError, match=named):
        Decoding(**settings)


def space() -> ConfigurationSpace:
    space = ConfigurationSpace()
    kind = Categorical("kind", ["a", "b"])
    degree = Integer("degree", (1, 5))
    space.add(
        Float("alpha", (1e-8, 1.0), log=True),
        Integer("depth", (1, 3)),
        kind,
        degree,
        OrdinalHyperparameter("size", [0.25, 1, 16]),
        Constant("fixed", 7),
        Categorical("flag", [True, False]),
        Float("share", (0.1, 1.0)),
    )
    space.add(EqualsCondition(degree, kind, "a"), ForbiddenEqualsClause(kind, "b"))
    return space


def test_schema_says_what_can_be_said():
    schema = json_schema(space(), "flat")
    assert list(schema["properties"]) == list(space())
    assert schema["additionalProperties"] is False
    assert schema["required"] == [name for name in space() if name != "degree"]
    properties = schema["properties"]
    assert properties["depth"] == {"type": "integer", "minimum": 1, "maximum": 3}
    assert properties["size"] == {"enum": [0.25, 1, 16]}
    assert properties["fixed"] == {"enum": [7]}
    assert properties["flag"] == {"enum": [True, False]}
    assert properties["alpha"] == {"type": "number", "minimum": 1e-8, "maximum": 1.0, "multipleOf": 1e-10}
    assert properties["share"]["multipleOf"] == 1e-5


def test_schema_is_valid_and_made_of_builtin_scalars():
    schema = json_schema(space())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema

    def types(value: object) -> set[type]:
        if isinstance(value, dict):
            return set().union(*(types(item) for item in value.values()))
        return set().union(*(types(item) for item in value)) if isinstance(value, list) else {type(value)}

    assert types(schema) <= {bool, int, float, str}


@pytest.mark.parametrize(
    ("bounds", "log", "decimals"),
    [
        ((1e-5, 1.0), True, 8),
        ((2**-10, 2**10), True, 7),
        ((1.0, 1e5), True, 3),
        ((0.0, 1000.0), False, 1),
        ((0, 1e6), False, 0),
    ],
)
def test_decimals_of_a_float(bounds, log, decimals):
    schema = json_schema(ConfigurationSpace({"x": Float("x", bounds, log=log)}))
    assert schema["properties"]["x"]["multipleOf"] == pytest.approx(10.0**-decimals)


def test_floats_too_fine_for_decimals_keep_their_range():
    schema = json_schema(ConfigurationSpace({"x": Float("x", (1e-12, 1e-3), log=True)}))
    assert schema["properties"]["x"] == {"type": "number", "minimum": 1e-12, "maximum": 1e-3}
