from __future__ import annotations

import copy
import dataclasses
import json
import math

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, Integer, OrdinalHyperparameter
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.again import difference as logs_differ
from harness.budget import Budget
from harness.faults import GROUP_OF, SENTENCES, Group, catalogue, describe, knew_grid
from harness.jsonl import encode
from harness.loop import run_loop
from harness.problem import Fidelity
from harness.repair import Nearest, NoRepair
from harness.rows import difference, to_row
from harness.trial import Candidate, Fault, Proposal, Trial, Violation
from harness.validity import Checker, check_fidelity
from tests.support.fakes import VALID, Line, Scripted, rich_space

CHECK = Checker(rich_space())


def faults(**changes):
    params = {name: value for name, value in {**VALID, **changes}.items() if value != "absent"}
    return {(violation.name, violation.fault) for violation in CHECK.check(params)[1]}


def test_a_valid_configuration_comes_out_as_it_went_in():
    assert CHECK.check(VALID) == (VALID, ())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cost": "absent"}, ("cost", Fault.MISSING)),
        ({"gamma": 1}, ("gamma", Fault.UNKNOWN)),
        ({"cost": "1.0"}, ("cost", Fault.WRONG_TYPE)),
        ({"cost": True}, ("cost", Fault.WRONG_TYPE)),
        ({"cost": None}, ("cost", Fault.WRONG_TYPE)),
        ({"cost": [1.0]}, ("cost", Fault.WRONG_TYPE)),
        ({"cost": {"value": 1.0}}, ("cost", Fault.WRONG_TYPE)),
        ({"cost": 1e4}, ("cost", Fault.OUT_OF_RANGE)),
        ({"cost": math.nan}, ("cost", Fault.OUT_OF_RANGE)),
        ({"cost": math.inf}, ("cost", Fault.OUT_OF_RANGE)),
        ({"cost": 10**400}, ("cost", Fault.OUT_OF_RANGE)),
        ({"kernel": "sigmoid"}, ("kernel", Fault.NOT_A_CHOICE)),
        ({"kernel": 3}, ("kernel", Fault.WRONG_TYPE)),
        ({"shrink": 1}, ("shrink", Fault.WRONG_TYPE)),
        ({"shrink": "true"}, ("shrink", Fault.WRONG_TYPE)),
        ({"batch": 33}, ("batch", Fault.OFF_GRID)),
        ({"batch": 33.0}, ("batch", Fault.OFF_GRID)),
        ({"batch": 32.5}, ("batch", Fault.OFF_GRID)),
        ({"batch": 16.5}, ("batch", Fault.OFF_GRID)),
        ({"batch": 15}, ("batch", Fault.NOT_A_CHOICE)),
        ({"batch": 128.5}, ("batch", Fault.NOT_A_CHOICE)),
        ({"batch": math.inf}, ("batch", Fault.NOT_A_CHOICE)),
        ({"batch": math.nan}, ("batch", Fault.NOT_A_CHOICE)),
        ({"batch": 10**400}, ("batch", Fault.NOT_A_CHOICE)),
        ({"batch": True}, ("batch", Fault.WRONG_TYPE)),
        ({"batch": "33"}, ("batch", Fault.WRONG_TYPE)),
        ({"batch": [33]}, ("batch", Fault.WRONG_TYPE)),
        ({"kind": "tree"}, ("kind", Fault.NOT_A_CHOICE)),
        ({"degree": 2}, ("degree", Fault.INACTIVE)),
        ({"degree": None}, ("degree", Fault.WRONG_TYPE)),
        ({"kernel": "poly"}, ("degree", Fault.MISSING)),
        ({"kernel": "poly", "degree": 3}, ("coef0", Fault.MISSING)),
        ({"kernel": "poly", "degree": 2, "coef0": 0.5}, ("coef0", Fault.INACTIVE)),
        ({"kernel": "poly", "degree": 3.5, "coef0": 0.5}, ("degree", Fault.WRONG_TYPE)),
        ({"kernel": "poly", "degree": 6.0, "coef0": 0.5}, ("degree", Fault.OUT_OF_RANGE)),
        ({"kernel": "poly", "degree": math.inf, "coef0": 0.5}, ("degree", Fault.WRONG_TYPE)),
        ({"kernel": "poly", "degree": 6, "coef0": 0.5}, ("degree", Fault.OUT_OF_RANGE)),
        ({"kernel": "linear", "batch": 64}, ("kernel, batch", Fault.FORBIDDEN)),
    ],
)
def test_each_fault_is_found(changes, expected):
    assert expected in faults(**changes)


def test_a_fault_names_its_own_hyperparameter():
    assert faults(kernel="sigmoid", degree=2) == {("kernel", Fault.NOT_A_CHOICE)}
    assert faults(kernel="poly", degree=99, coef0=0.5) == {("degree", Fault.OUT_OF_RANGE)}
    assert faults(kernel="absent") == {("kernel", Fault.MISSING)}


def test_all_faults_are_reported_at_once():
    assert faults(cost=-1, batch="absent", x=0, y=0) == {
        ("cost", Fault.OUT_OF_RANGE),
        ("batch", Fault.MISSING),
        ("x", Fault.UNKNOWN),
        ("y", Fault.UNKNOWN),
    }


def test_an_integer_is_a_legal_float_and_comes_out_as_one():
    params, violations = CHECK.check({**VALID, "cost": 10})
    assert not violations
    assert type(params["cost"]) is float


def test_numpy_scalars_go_in_and_builtin_scalars_come_out():
    given_params = {**VALID, "cost": np.float64(2.0), "batch": np.int64(16), "shrink": np.bool_(False)}
    params, violations = CHECK.check({**given_params, "kernel": np.str_("rbf")})
    assert not violations
    assert [type(value) for value in params.values()] == [type(VALID[name]) for name in params]


def test_a_proposal_without_params_is_unparseable_or_truncated():
    assert CHECK.proposal(Proposal(None))[1][0].fault is Fault.UNPARSEABLE
    assert CHECK.proposal(Proposal(None, truncated=True))[1][0].fault is Fault.TRUNCATED


def test_configurations_that_configspace_draws_are_valid():
    space = rich_space()
    before = copy.deepcopy(space)
    check = Checker(space)
    for configuration in space.sample_configuration(300):
        params, violations = check.check(dict(configuration))
        assert not violations
        assert params == dict(configuration)
        assert {type(value) for value in params.values()} <= {bool, int, float, str}
    assert space == before


def grid():
    space = ConfigurationSpace(seed=0)
    space.add(
        OrdinalHyperparameter("alpha", [1e-8, 1e-4, 1.0]),
        OrdinalHyperparameter("rate", [1e-4, 1e-3, 1e-2]),
        OrdinalHyperparameter("width", [16, 64, 256]),
        OrdinalHyperparameter("size", ["s", "m"]),
        Categorical("folds", [3, 5]),
        Integer("depth", (1, 8)),
    )
    return space


@pytest.mark.parametrize(
    ("name", "value", "fault", "steps", "confused"),
    [
        ("alpha", 1e-3, Fault.OFF_GRID, 0.25, "rate"),
        ("alpha", np.float64(0.001), Fault.OFF_GRID, 0.25, "rate"),
        ("alpha", 16.0, Fault.NOT_A_CHOICE, None, "width"),
        ("alpha", 1e-6, Fault.OFF_GRID, 0.5, None),
        ("alpha", 3, Fault.NOT_A_CHOICE, None, None),  # folds are no numbers on a grid
        ("rate", 1, Fault.NOT_A_CHOICE, None, "alpha"),
        ("rate", True, Fault.WRONG_TYPE, None, None),
        ("width", 128, Fault.OFF_GRID, 0.5, None),
        ("width", 1e-4, Fault.NOT_A_CHOICE, None, "alpha"),  # rate has it too: the first is named
        ("folds", 16, Fault.NOT_A_CHOICE, None, None),
        ("folds", 4, Fault.NOT_A_CHOICE, None, None),
        ("folds", 4.5, Fault.WRONG_TYPE, None, None),
        ("depth", 16, Fault.OUT_OF_RANGE, None, None),
        ("depth", 2.5, Fault.WRONG_TYPE, None, None),
        ("size", "l", Fault.NOT_A_CHOICE, None, None),
        ("size", 16, Fault.WRONG_TYPE, None, None),
    ],
)
def test_an_off_grid_number_has_its_distance_and_the_owner_of_its_level(name, value, fault, steps, confused):
    legal = {"alpha": 1e-4, "rate": 1e-3, "width": 64, "size": "s", "folds": 3, "depth": 2}
    (found,) = Checker(grid()).check({**legal, name: value})[1]
    assert (found.fault, found.name, found.confused) == (fault, name, confused)
    assert found.steps == (None if steps is None else pytest.approx(steps))


def test_a_row_has_them_only_if_they_apply():
    violations = (Violation(Fault.OFF_GRID, "alpha", 1e-3, 0.25, "rate"), Violation(Fault.NOT_A_CHOICE, "folds", 4))
    row = to_row(Trial(0, Proposal({}, candidates=(Candidate({}, violations, 1),)), violations), "")
    expected = [
        {"fault": "off_grid", "name": "alpha", "value": 1e-3, "steps": 0.25, "confused": "rate"},
        {"fault": "not_a_choice", "name": "folds", "value": 4},
    ]
    assert row["violations"] == row["candidates"][0]["violations"] == expected


def test_feedback_on_an_off_grid_number_is_unchanged_and_names_no_level():
    told = describe(Violation(Fault.OFF_GRID, "alpha", 1e-3, 0.25, "rate"))
    assert told == "alpha = 0.001 is not one of the allowed values"
    assert told == describe(Violation(Fault.NOT_A_CHOICE, "alpha", 1e-3))


def test_every_fault_belongs_to_a_group():
    assert set(GROUP_OF) == set(Fault) == set(SENTENCES)
    assert set(GROUP_OF.values()) == set(Group)
    assert {fault for fault, group in GROUP_OF.items() if group is Group.IMPRECISE} == {Fault.OFF_GRID}
    assert {fault for fault, group in GROUP_OF.items() if group is Group.REDUNDANT} == {Fault.INACTIVE}


def row_of(*violations):
    return json.loads(encode(to_row(Trial(0, Proposal({"batch": 1}), violations), "")))


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (Violation(Fault.NOT_A_CHOICE, "batch", 33), Violation(Fault.OFF_GRID, "batch", 33, 0.1)),
        (Violation(Fault.NOT_A_CHOICE, "batch", 33), Violation(Fault.NOT_A_CHOICE, "batch", 33, None, "width")),
        (Violation(Fault.WRONG_TYPE, "batch", 33.5), Violation(Fault.OFF_GRID, "batch", 33.5, 0.1)),
        (Violation(Fault.WRONG_TYPE, "batch", 133.5), Violation(Fault.NOT_A_CHOICE, "batch", 133.5)),
    ],
)
def test_a_row_of_older_rules_replays_and_one_of_these_must_say_the_same(before, now):
    assert difference(row_of(now), row_of(before), knew_grid=False) is None
    assert "violations was" in difference(row_of(now), row_of(before))
    assert logs_differ([row_of(before)], [row_of(now)], False, False) is None
    assert "violations was" in logs_differ([row_of(before)], [row_of(now)], False)
    drawn = [to_row(Trial(0, Proposal({}, candidates=(Candidate({}, (each,), 1),))), "") for each in (before, now)]
    assert logs_differ(drawn[:1], drawn[1:], False, False) is None
    assert logs_differ(drawn[:1], drawn[1:], False) is not None


@pytest.mark.parametrize(
    "before",
    [
        Violation(Fault.NOT_A_CHOICE, "batch", 34),
        Violation(Fault.NOT_A_CHOICE, "other", 33),
        Violation(Fault.UNKNOWN, "batch", 33),
    ],
)
def test_what_an_older_rule_would_not_have_said_is_a_difference(before):
    now = Violation(Fault.OFF_GRID, "batch", 33, 0.1)
    assert difference(row_of(now), row_of(before), knew_grid=False) is not None
    assert difference(row_of(now), row_of(), knew_grid=False) is not None
    assert difference(row_of(now), row_of(before, before), knew_grid=False) is not None


def test_which_rules_a_run_was_judged_by():
    assert knew_grid(None)
    assert knew_grid({"faults": catalogue()})
    assert not knew_grid({})
    assert not knew_grid({"faults": ["not_a_choice"]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([*rich_space(), "made_up", ""])


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(NAMES, JSON))
def test_any_value_is_classified_without_an_exception(params):
    executed, violations = CHECK.check(params)
    assert (executed is None) == bool(violations)
    for violation in violations:
        assert violation.fault in Fault
    if executed is not None:
        assert set(executed) == set(params)
        json.dumps(executed, allow_nan=False)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(rich_space().sample_configuration(100)), NAMES, JSON)
def test_our_verdict_is_never_laxer_than_configspaces(configuration, name, value):
    params = {**dict(configuration), name: value}
    executed, violations = CHECK.check(params)
    if not violations:
        from ConfigSpace import Configuration

        Configuration(rich_space(), values=executed).check_valid_configuration()


FIDELITIES = (Fidelity("epochs", 1, 50, integer=True), Fidelity("share", 0.1, 1.0))


@pytest.mark.parametrize(
    ("fidelity", "faults"),
    [
        (None, []),
        ({}, []),
        ({"epochs": 7}, []),
        ({"share": 1}, []),
        ({"epochs": 51}, [("out_of_range", "fidelity.epochs", 51)]),
        ({"epochs": 7.0}, []),
        ({"epochs": 7.5}, [("wrong_type", "fidelity.epochs", 7.5)]),
        ({"share": True}, [("wrong_type", "fidelity.share", True)]),
        ({"share": "all"}, [("wrong_type", "fidelity.share", "all")]),
        (
            {"share": math.nan, "rounds": 3},
            [("out_of_range", "fidelity.share", math.nan), ("unknown", "fidelity.rounds", 3)],
        ),
        ([1], [("wrong_type", "fidelity", [1])]),
    ],
)
def test_an_invented_fidelity_is_a_fault(fidelity, faults):
    problem = dataclasses.replace(Line().problem, fidelities=FIDELITIES)
    found = check_fidelity(fidelity, problem)
    assert repr([(violation.fault.value, violation.name, violation.value) for violation in found]) == repr(faults)


def test_an_invented_fidelity_is_charged_and_never_run_or_repaired(tmp_path):
    problem = dataclasses.replace(Line().problem, fidelities=FIDELITIES)
    for repair in (NoRepair, Nearest):
        benchmark = Line()
        benchmark.problem = problem
        proposals = [{"epochs": 99}, {"epochs": 50}, {"share": True}, {"share": 0.5}]
        optimizer = Scripted(Proposal({"x": 0.5, "units": 4}, fidelity=level) for level in proposals)
        rows = []
        run_loop(benchmark, optimizer, repair(problem, 0), Budget(proposals=4), 0, rows.append)
        assert [row["executed"] is not None for row in rows] == [False, True, False, True]
        assert [row["fidelity"] for row in rows] == [{"epochs": 99}, None, {"share": True}, {"share": 0.5}]
        assert [row["repair"] for row in rows] == [None] * 4
    assert describe(optimizer.told[0].violations[0]) == "fidelity.epochs = 99 is out of range"
    assert describe(Violation(Fault.UNKNOWN, "fidelity.rounds")) == "fidelity.rounds is not a fidelity of this task"
