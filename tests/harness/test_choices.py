"""Choices in their Python and JSON forms: accepted in both, executed as declared, or refused."""

from __future__ import annotations

import copy
import datetime
import enum
import json
import math
from decimal import Decimal

import jsonschema
import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Constant, Float, Integer, OrdinalHyperparameter
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.budget import Budget
from harness.build import build_benchmark
from harness.choices import Choices, loggable, text_of
from harness.errors import SettingError
from harness.jsonl import encode
from harness.loop import run_loop
from harness.problem import Objective, Outcome, Problem
from harness.repair import NoRepair
from harness.space import Decoder, default_of, refuse_unsound
from harness.trial import Fault
from harness.validity import Checker
from llms.schema import json_schema
from optimizers.chat.parse import parse_reply
from optimizers.chat.prompt import dumps, space_lines
from tests.support.fakes import MIXED, Mixed, Scripted


class Kernel(enum.StrEnum):
    LINEAR = "linear"
    RBF = "rbf"


def problem_of(hyperparameter):
    space = ConfigurationSpace(name="one", seed=0)
    space.add(hyperparameter)
    return Problem("fake.one", space, (Objective("loss", "minimize"),), default_of(space))


def judged(choices, value):
    params, violations = Checker(problem_of(Categorical("x", choices)).space).check({"x": value})
    return violations[0].fault if violations else params["x"]


@pytest.mark.parametrize(
    ("choices", "value", "executed"),
    [
        (["sqrt", "log2", None], None, None),
        (["None", None], "None", "None"),
        (["True", True], "True", "True"),
        (["True", True], True, True),
        ([(64, 64), (128,)], [64, 64], (64, 64)),
        ([(64, 64), (128,)], (128,), (128,)),
        ([(64, 64), (128,)], np.array([64, 64]), (64, 64)),
        ([((1, 2), 3), ((4,), None)], [[4], None], ((4,), None)),
        ([[1], [2]], (2,), [2]),
        ([(), (1,)], [], ()),
        ([{"a": 1, "b": (2, 3)}, {}], {"b": [2, 3], "a": 1}, {"a": 1, "b": (2, 3)}),
        ([0, 0.1, 0.5], 0.0, 0),
        ([0, 0.1, 0.5], 0, 0),
        ([1, 2.5], np.float64(1.0), 1),
        ([True, 0.5], np.float64(1.0), True),
        ([(0.5, 1), (2.0, 3)], [2, 3.0], (2.0, 3)),
        ([(64, 64), (128,)], [64.0, 64.0], (64, 64)),
        ([16, 32], 16.0, 16),
        ([Kernel.LINEAR, Kernel.RBF], "rbf", Kernel.RBF),
        ([10**20, 1], 10**20, 10**20),
        ([np.int64(8), np.int64(9)], 9, 9),
    ],
)  # fmt: skip
def test_either_form_is_accepted_and_the_declared_value_executed(choices, value, executed):
    found = judged(choices, value)
    assert found == executed
    assert type(found) is type(executed)


@pytest.mark.parametrize(
    ("choices", "value", "fault"),
    [
        (["sqrt", None], "null", Fault.NOT_A_CHOICE),
        (["sqrt", None], "None", Fault.NOT_A_CHOICE),
        (["sqrt", "log2"], None, Fault.WRONG_TYPE),
        ([(64, 64), (128,)], [64], Fault.NOT_A_CHOICE),
        ([(64, 64), (128,)], ["64", "64"], Fault.NOT_A_CHOICE),
        ([(64, 64), (128,)], [[64], [64]], Fault.NOT_A_CHOICE),
        ([(1, 0), (0, 1)], [True, False], Fault.NOT_A_CHOICE),
        ([(64, 64), (128,)], "(64, 64)", Fault.WRONG_TYPE),
        ([(64, 64), (128,)], 64, Fault.WRONG_TYPE),
        ([(64, 64), (128,)], {"0": 64}, Fault.WRONG_TYPE),
        ([True, False], 1, Fault.WRONG_TYPE),
        ([True, 0.5], 1.0, Fault.NOT_A_CHOICE),
        ([16, 32], 17.0, Fault.NOT_A_CHOICE),
        ([16, 32], 16.5, Fault.WRONG_TYPE),
        ([0.5, 1.0], math.nan, Fault.NOT_A_CHOICE),
        ([0.5, 1.0], object(), Fault.WRONG_TYPE),
        ([{"a": 1}, {"a": 2}], {"a": 3}, Fault.NOT_A_CHOICE),
        ([{"a": 1}, {"a": 2}], {"a": True}, Fault.NOT_A_CHOICE),
    ],
)  # fmt: skip
def test_what_is_no_choice_is_still_a_fault(choices, value, fault):
    assert judged(choices, value) is fault


def a_function():
    """A choice without a JSON form."""


UNSAYABLE = [
    (a_function, "function"), (int, "type"), (object(), "object"), ({1, 2}, "set"), (frozenset({1}), "frozenset"),
    (b"a", "bytes"), (datetime.date(2026, 1, 2), "date"), (1j, "complex"), (range(3), "range"), (math.inf, "inf"),
    ((1, (math.nan,)), "nan"), ((1, a_function), "function"), ({1: "a"}, "keys are strings"), (..., "ellipsis"),
    (np.array([1]), "ndarray"), (np.datetime64("2026-01-02"), "date"),
]  # fmt: skip


@pytest.mark.parametrize(("choice", "said"), UNSAYABLE, ids=[said for _, said in UNSAYABLE])
@pytest.mark.parametrize("kind", [Categorical, OrdinalHyperparameter, Constant])
def test_a_choice_that_json_cannot_say_is_refused_by_name(kind, choice, said):
    try:
        hyperparameter = kind("units", choice) if kind is Constant else kind("units", ["a", choice])
    except ValueError:
        pytest.skip("ConfigSpace refuses it itself")
    with pytest.raises(SettingError, match=r"^The choice .* of hyperparameter 'units' has no JSON form: ") as caught:
        refuse_unsound(problem_of(hyperparameter))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_choice_that_holds_itself_is_refused():
    endless = [1]
    endless.append(endless)
    with pytest.raises(SettingError, match="levels of nesting"):
        Choices(Categorical("x", [endless, 2]))


@pytest.mark.parametrize("choices", [[(1, 2), [1, 2]], [(1, 2), [1.0, 2]], [((),), [[]]], [[(1,)], [[1]]]])
def test_two_choices_with_one_form_are_refused_by_name(choices):
    with pytest.raises(SettingError, match=r"^The choices .* and .* of hyperparameter 'x' are the same in JSON"):
        Choices(Categorical("x", choices))


def test_a_list_is_handed_out_as_a_copy():
    choices = Choices(Categorical("x", [[1], [2]]))
    choices.value(0).append(3)
    assert choices.value(0) == [1]


def refusal(hyperparameter):
    try:
        refuse_unsound(problem_of(hyperparameter))
    except SettingError as error:
        return str(error)
    return None


TEXT = st.text(st.characters(exclude_characters="\0"), max_size=5)  # ConfigSpace's arrays end at one
INTEGERS = st.integers(-(2**53), 2**53)  # larger ones may become floats
JSONABLE = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
PYTHON_ONLY = st.sampled_from([choice for choice, _ in UNSAYABLE] + [math.nan, (math.nan,)])


@settings(max_examples=150, deadline=None)
@given(st.lists(JSONABLE | PYTHON_ONLY, min_size=1, max_size=4), st.sampled_from([Categorical, OrdinalHyperparameter]))
def test_any_choices_are_refused_or_survive_every_way_there_is(choices, kind):
    try:
        hyperparameter = kind("x", choices)
    except (ValueError, TypeError):
        return  # ConfigSpace's own refusal
    if said := refusal(hyperparameter):
        assert "hyperparameter 'x'" in said
        return
    problem = problem_of(hyperparameter)
    checker, known = Checker(problem.space), Choices(hyperparameter)
    enum = json_schema(problem.space)["properties"]["x"]["enum"]
    (line,) = space_lines(problem)
    assert json.loads(line.partition("one of ")[2]) == enum
    read = Decoder(problem.space)
    for place, value in enumerate(known.values):
        for form in (value, enum[place], json.loads(dumps({"x": value}))["x"]):
            params, violations = checker.check({"x": form})
            assert violations == ()
            assert repr(params["x"]) == repr(value)
        assert text_of({"x": value}) == text_of({"x": enum[place]})
        assert json.loads(encode(loggable({"x": value}))) == {"x": enum[place]}
    for drawn in problem.space.sample_configuration(20):
        assert checker.check(read(drawn))[1] == ()
        assert checker.check(dict(drawn))[1] == (), "nor is ConfigSpace's own value of a draw a fault"


def answers(schema):
    """Everything that a server that decodes under the schema can write."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of(*map(answers, schema["anyOf"]))
    if schema["type"] == "object":
        return st.fixed_dictionaries({name: answers(part) for name, part in schema["properties"].items()})
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if "multipleOf" not in schema:  # below zero
        return st.floats(schema["minimum"], schema["exclusiveMaximum"], exclude_max=True)
    lower, upper, step = (Decimal(str(schema[key])) for key in ("minimum", "maximum", "multipleOf"))
    counts = st.integers(math.ceil(lower / step), math.floor(upper / step))
    return counts.map(lambda count: float(count * step))  # as its text is parsed


def flat_space():
    """Without conditions and clauses; these are tested in ``tests/llms/test_schema.py``."""
    space = ConfigurationSpace(name="flat", seed=0)
    space.add(*(Categorical(name, choices) for name, choices in MIXED.items()), Constant("shape", ((1, 2), 3)))
    space.add(OrdinalHyperparameter("order", [None, (1,), (1, 2)], default_value=(1,)), Integer("units", (1, 9)))
    space.add(Float("rate", (1e-6, 1.0), log=True), Float("share", (-0.3, 0.7)), Constant("exact", 0.1))
    return space


FLAT = flat_space()
SCHEMA = json_schema(FLAT)
LOOSE = copy.deepcopy(SCHEMA)  # jsonschema finds a remainder in 0.5 / 1e-9
for part in LOOSE["properties"].values():
    for case in part.get("anyOf", [part]):
        case.pop("multipleOf", None)


@settings(max_examples=100, deadline=None)
@given(answers(SCHEMA))
def test_what_a_schema_asks_for_is_valid(answer):
    text = json.dumps(answer)
    found = parse_reply(text, "stop").params
    jsonschema.validate(found, LOOSE)
    assert Checker(FLAT).check(found)[1] == ()


def test_the_log_holds_json_and_the_benchmark_gets_what_was_declared():
    benchmark = Mixed()
    default = benchmark.problem.default
    proposals = [default, json.loads(dumps(default)), {**default, "hidden": [128], "momentum": 0.5}]
    rows = []
    optimizer = Scripted(proposals)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), Budget(proposals=3), 0, rows.append)
    assert [row["violations"] for row in rows] == [[], [], []]
    assert [row["error"] for row in rows] == [None, None, None]
    assert [row["duplicate_of"] for row in rows] == [None, 0, None]
    assert rows[2]["executed"]["hidden"] == [128]
    assert benchmark.evaluated[2]["hidden"] == (128,)
    assert json.loads(encode(rows)) == rows
    assert optimizer.told[0].params["options"] == {"depth": 1}, "an evaluation changed its own copy alone"
    again: list = []
    run_loop(
        Mixed(), Scripted(proposals), NoRepair(benchmark.problem, 0), Budget(proposals=3), 0, again.append, rows[:2]
    )
    assert again[0]["executed"] == rows[2]["executed"]


def test_every_choice_of_the_mixed_space_is_drawn_as_declared():
    problem = Mixed().problem
    read = Decoder(problem.space)
    drawn = [read(one) for one in problem.space.sample_configuration(200)]
    for name, choices in MIXED.items():
        values = [choice.item() if hasattr(choice, "item") else choice for choice in choices]
        assert {repr(params[name]) for params in drawn} == set(map(repr, values))


class Refused:
    """A benchmark whose space ConfigSpace or the harness refuses."""

    def __init__(self, choices):
        self.problem = problem_of(Categorical("units", choices))

    def evaluate(self, params, fidelity, seed):
        return Outcome({"loss": 0.0})


@pytest.mark.parametrize(
    ("settings_", "said"),
    [
        ({"choices": [[1, 2], [1, 2]]}, "ConfigSpace refuses the search space of Refused: "),
        ({"choices": [1, True]}, "units"),
    ],
)
def test_a_space_that_cannot_be_used_is_one_sentence_at_the_start(settings_, said):
    config = {"benchmark": {"_target_": "tests.harness.test_choices.Refused", **settings_}, "seed": 0}
    with pytest.raises(SettingError, match=said):
        build_benchmark(config)
