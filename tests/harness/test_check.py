from __future__ import annotations

import copy
import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.budget import Budget
from harness.check import Checker, check_fidelity
from harness.faults import describe
from harness.loop import run_loop
from harness.problem import Fidelity
from harness.repair import Nearest, NoRepair
from harness.trial import Fault, Proposal, Violation
from tests.fakes import VALID, Line, Scripted, rich_space

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
        ({"batch": 33}, ("batch", Fault.NOT_A_CHOICE)),
        ({"batch": 33.0}, ("batch", Fault.NOT_A_CHOICE)),
        ({"batch": 32.5}, ("batch", Fault.WRONG_TYPE)),
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


def test_one_fault_is_not_blamed_on_another_hyperparameter():
    assert faults(kernel="sigmoid", degree=2) == {("kernel", Fault.NOT_A_CHOICE)}
    assert faults(kernel="poly", degree=99, coef0=0.5) == {("degree", Fault.OUT_OF_RANGE)}
    assert faults(kernel="absent") == {("kernel", Fault.MISSING)}


def test_all_faults_are_reported_at_once():
    assert faults(cost=-1, batch="absent", x=0) == {
        ("cost", Fault.OUT_OF_RANGE),
        ("batch", Fault.MISSING),
        ("x", Fault.UNKNOWN),
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


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([*rich_space(), "made_up", ""])


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(NAMES, JSON))
def test_anything_is_classified_and_nothing_raises(params):
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
