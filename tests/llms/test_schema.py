"""The schema with branches: what is valid matches it, and what it admits is valid."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import math
import random
from typing import Any

import jsonschema
import pytest
from ConfigSpace import (
    AndConjunction,
    Categorical,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    ForbiddenAndConjunction,
    ForbiddenEqualsClause,
    ForbiddenInClause,
    ForbiddenLessThanRelation,
    GreaterThanCondition,
    InCondition,
    Integer,
    LessThanCondition,
    NotEqualsCondition,
    OrConjunction,
    OrdinalHyperparameter,
)
from ConfigSpace.forbidden import ForbiddenGreaterThanEqualsClause, ForbiddenOrConjunction
from llguidance import LLMatcher, LLTokenizer

from harness.branches import MOST_BRANCHES, branches_of
from harness.choices import loggable
from harness.space import Decoder
from harness.validity import Checker
from llms.schema import json_schema
from tests.contracts.test_benchmark_contract import CASES, NAMES, build
from tests.support.fakes import Mixed, rich_space

BYTES = LLTokenizer("byte")


def kinds() -> ConfigurationSpace:
    """Every condition on every kind of parent, several deep, and clauses of every kind that can be said."""
    space = ConfigurationSpace(seed=0)
    algo = Categorical("algo", ["a", "b", "c", "d"])
    depth, width = Integer("depth", (1, 10)), Integer("width", (1, 4096), log=True)
    rate, decay = Float("rate", (1e-4, 1.0), log=True), Float("decay", (-1.0, 1.0))
    size = OrdinalHyperparameter("size", ["small", "medium", "large"])
    inner, leaf, both = Integer("inner", (0, 3)), Float("leaf", (0.0, 1.0)), Categorical("both", [True, False])
    space.add(algo, depth, width, rate, decay, size, inner, leaf, both)
    space.add(
        NotEqualsCondition(depth, algo, "d"),
        OrConjunction(GreaterThanCondition(width, depth, 7), LessThanCondition(width, depth, 3)),
        GreaterThanCondition(decay, rate, 0.1),
        InCondition(inner, algo, ["a", "b"]),
        NotEqualsCondition(leaf, inner, 2),
        AndConjunction(GreaterThanCondition(both, size, "small"), LessThanCondition(both, decay, 0.25)),
        ForbiddenEqualsClause(depth, 5),
        ForbiddenAndConjunction(ForbiddenInClause(size, ["small", "large"]), ForbiddenEqualsClause(algo, "c")),
        ForbiddenAndConjunction(ForbiddenGreaterThanEqualsClause(rate, 0.5), ForbiddenEqualsClause(size, "medium")),
        ForbiddenOrConjunction(ForbiddenEqualsClause(inner, 3), ForbiddenEqualsClause(width, 4096)),
    )
    return space


def relation() -> ConfigurationSpace:
    """A relation of two hyperparameters whose values can be listed, one of them conditional."""
    space = ConfigurationSpace(seed=0)
    low, high, on = Integer("low", (1, 5)), Integer("high", (1, 5)), Categorical("on", ["yes", "no"])
    space.add(low, high, on, EqualsCondition(high, on, "yes"), ForbiddenLessThanRelation(high, low))
    return space


@functools.cache
def spaces() -> dict[str, ConfigurationSpace]:
    found = {"kinds": kinds(), "relation": relation(), "rich": rich_space(), "mixed": Mixed().problem.space}
    for name, (file, settings) in zip(NAMES, CASES, strict=True):
        try:
            space = build(file, settings).problem.space
        except pytest.skip.Exception:
            continue
        if space.conditions or space.forbidden_clauses:
            found.setdefault(f"{file.stem} {sorted(space)}", space)
            found[name] = found.pop(f"{file.stem} {sorted(space)}")
    return found


NAMED = ["kinds", "relation", "rich", "mixed", "conditional.digits", "toy.branin", "toy.peak", "openml.31+svm"]


@pytest.fixture(params=[*NAMED, "yahpo.31+rbv2_xgboost", "openml.53+random_forest", "fairness"])
def space(request: pytest.FixtureRequest) -> ConfigurationSpace:
    name = next((each for each in spaces() if each.startswith(request.param)), None)
    if name is None:
        pytest.skip(f"no data for {request.param}")
    return spaces()[name]


def written(params: dict[str, Any]) -> str:
    """As JSON, numbers without exponents: the decoder's grammar of a bounded number has none."""
    texts = {name: json.dumps(value) for name, value in params.items()}
    for name, value in params.items():
        if type(value) is float and "e" in texts[name]:
            texts[name] = f"{value:.10f}".rstrip("0")
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in texts.items()) + "}"


class Guide:
    """llguidance's own reading of a schema, as vLLM decodes by it."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema))
        assert not LLMatcher(BYTES, self._grammar).is_error()

    def takes(self, params: dict[str, Any]) -> bool:
        matcher = LLMatcher(BYTES, self._grammar, log_level=0)
        return bool(matcher.consume_tokens(BYTES.tokenize_str(written(params))) and matcher.is_accepting())


def valid(space: ConfigurationSpace, count: int = 40) -> list[dict[str, Any]]:
    """Draws as JSON, floats with as many digits as any schema here lets them have."""
    drawn = copy.deepcopy(space)
    drawn.seed(1)
    read, check = Decoder(drawn), Checker(space).check
    rounded = []
    for configuration in drawn.sample_configuration(count):
        params = {k: round(v, 8) if type(v) is float else v for k, v in read(configuration).items()}
        if not check(params)[1]:
            rounded.append(loggable(params))
    assert rounded
    return rounded


def cases_of(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return schema.get("anyOf", [schema])


def edges(said: dict[str, Any]) -> list[Any]:
    """Some values that a property admits, its bounds among them."""
    if "anyOf" in said:
        return [value for case in said["anyOf"] for value in edges(case)]
    if "enum" in said:
        return list(said["enum"])
    if said["type"] == "integer":
        return [said["minimum"], said["maximum"]]
    lower, upper = said.get("minimum", said.get("exclusiveMinimum")), said.get("maximum", said.get("exclusiveMaximum"))
    step = said.get("multipleOf", (upper - lower) / 1024)
    grid = [math.ceil(lower / step + 1e-9) * step, math.floor(upper / step - 1e-9) * step]
    return [float(f"{value:.10f}") for value in grid if lower < value < upper]


def without_digits(schema: dict[str, Any]) -> dict[str, Any]:
    """For jsonschema, whose multipleOf trips over binary fractions."""
    text = json.dumps(schema)
    return json.loads(text, object_hook=lambda found: {k: v for k, v in found.items() if k != "multipleOf"})


def test_what_is_valid_matches_exactly_one_branch(space):
    schema = without_digits(json_schema(space))
    jsonschema.Draft202012Validator.check_schema(schema)
    branches = [jsonschema.Draft202012Validator(case) for case in cases_of(schema)]
    for params in valid(space):
        assert [branch.is_valid(params) for branch in branches].count(True) == 1, params


def test_what_is_valid_is_taken_by_the_decoder_in_its_order(space):
    schema = json_schema(space)
    text = json.dumps(schema)
    guide = Guide(json.loads(text, object_hook=lambda found: {k: v for k, v in found.items() if k != "multipleOf"}))
    for params in valid(space, 15):
        for case in cases_of(schema):
            if set(case["required"]) == set(params):
                ordered = {name: params[name] for name in case["properties"]}
        assert guide.takes(ordered), ordered


def test_what_each_branch_admits_is_valid(space):
    check, rng = Checker(space).check, random.Random(0)
    schema = json_schema(space)
    guide = Guide(schema)
    for case in cases_of(schema):
        assert list(case["properties"]) == case["required"]
        values = {name: edges(said) for name, said in case["properties"].items()}
        for _ in range(12):
            params = {name: rng.choice(listed) for name, listed in values.items()}
            assert check(params)[1] == (), params
        assert guide.takes({name: listed[0] for name, listed in values.items()}), values


def test_an_inactive_one_more_an_active_one_less_and_what_is_forbidden_are_refused(space):
    check, validator = Checker(space).check, jsonschema.Draft202012Validator(without_digits(json_schema(space)))
    flat = json_schema(space, "flat")["properties"]
    refused = 0
    for params in valid(space):
        more = [params | {name: edges(said)[0]} for name, said in flat.items() if name not in params]
        less = [{key: value for key, value in params.items() if key != name} for name in params]
        other = [params | {name: value} for name in params for value in edges(flat[name])]
        for changed in itertools.chain(more, less, other):
            assert validator.is_valid(changed) == (check(changed)[1] == ()), changed
            refused += not validator.is_valid(changed)
    assert refused


def test_without_conditions_both_forms_are_the_same_and_flat_is_what_it_was():
    space = ConfigurationSpace({"x": Float("x", (0.0, 1.0)), "y": Categorical("y", ["a", "b"])})
    assert json.dumps(json_schema(space)) == json.dumps(json_schema(space, "flat"))
    flat = json_schema(rich_space(), "flat")
    assert flat["required"] == [name for name in rich_space() if name not in {"degree", "coef0"}]
    assert set(flat["properties"]) == set(rich_space())


def independent(count: int) -> ConfigurationSpace:
    space = ConfigurationSpace(seed=0)
    for number in range(count):
        parent, child = Categorical(f"p{number}", ["x", "y", "z"]), Integer(f"c{number}", (1, 5))
        space.add(parent, child, EqualsCondition(child, parent, "x"))
    return space


def test_conditions_in_a_chain_add_up_and_independent_ones_multiply_up_to_the_limit():
    chain = ConfigurationSpace()
    parts = [Integer(f"h{number}", (0, 9)) for number in range(12)]
    chain.add(*parts, *(GreaterThanCondition(b, a, 4) for a, b in itertools.pairwise(parts)))
    assert len(branches_of(chain).branches) == 12
    assert len(branches_of(independent(6)).branches) == 2**6 == MOST_BRANCHES
    many = branches_of(independent(40))
    assert len(many.branches) == MOST_BRANCHES
    assert all(said.endswith('== "x"') for said in many.unsaid)
    assert len(many.unsaid) == 34


def test_what_does_not_fit_is_optional_and_valid_ones_still_match():
    space = independent(8)
    schema = json_schema(space)
    assert all({"c6", "c7"} <= set(case["properties"]) - set(case["required"]) for case in cases_of(schema))
    validator = jsonschema.Draft202012Validator(schema)
    assert all(validator.is_valid(params) for params in valid(space))
    Guide(schema)


def test_a_relation_of_two_ranges_is_named_as_unsaid():
    space = ConfigurationSpace(seed=0)
    a, b = Float("a", (0.0, 1.0)), Float("b", (0.0, 1.0))
    space.add(a, b, ForbiddenLessThanRelation(a, b))
    assert branches_of(space).unsaid == ("not a < b",)
    assert json_schema(space) == json_schema(space, "flat")
