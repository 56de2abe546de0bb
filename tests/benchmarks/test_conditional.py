from __future__ import annotations

import json

import jsonschema
import pytest
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.conditional.conditional import Conditional, kernel_space
from benchmarks.conditional.conditional_trainer import Trainer
from harness.errors import SettingError
from harness.validity import Checker
from llms.schema import json_schema

CHECK = Checker(kernel_space("svm")).check
ALWAYS = {"C": 1.0, "shrinking": True}
POLY = {**ALWAYS, "kernel": "poly", "gamma": 0.1, "degree": 3, "coef0": 0.0}
SIGMOID = {**ALWAYS, "kernel": "sigmoid", "gamma": 0.1, "coef0": 0.0}


LOOSE = json.loads(json.dumps(json_schema(kernel_space("svm"))).replace('"multipleOf"', '"$comment"'))
"""Without the decimals, in which jsonschema finds a rest."""


@pytest.mark.parametrize(
    ("params", "faults"),
    [
        ({**ALWAYS, "kernel": "linear"}, []),
        ({**ALWAYS, "kernel": "rbf", "gamma": 0.1}, []),
        (POLY, []),
        (SIGMOID, []),
        ({**ALWAYS, "kernel": "linear", "gamma": 0.1}, [("inactive", "gamma")]),
        ({**ALWAYS, "kernel": "rbf"}, [("missing", "gamma")]),
        ({**SIGMOID, "degree": 3}, [("inactive", "degree")]),
        ({**POLY, "degree": 5}, [("forbidden", "kernel, degree")]),
        ({**SIGMOID, "shrinking": False}, [("forbidden", "kernel, shrinking")]),
    ],
)
def test_each_kernel_has_its_own_hyperparameters(params, faults):
    assert [(str(violation.fault), violation.name) for violation in CHECK(params)[1]] == faults
    flat = json_schema(kernel_space("svm"), "flat")
    assert set(flat["required"]) <= set(params) <= set(flat["properties"]), "a flat schema takes them all"
    assert jsonschema.Draft202012Validator(LOOSE).is_valid(params) == (not faults), "one with branches does not"


def test_the_score_is_the_mean_over_three_folds():
    x, _, y, _ = train_test_split(*load_wine(return_X_y=True), test_size=0.2, random_state=0)
    params = {**POLY, "gamma": 0.01}
    measures = Trainer("wine").train(params, {}, 0)
    scores = []
    for train, rest in StratifiedKFold(3).split(x, y):
        scaler = StandardScaler().fit(x[train])
        model = SVC(**params).fit(scaler.transform(x[train]), y[train])
        scores.append(model.score(scaler.transform(x[rest]), y[rest]))
    assert measures["accuracy"] == pytest.approx(sum(scores) / 3)
    assert 0 < measures["test_accuracy"] <= 1


def test_levels_make_the_space_finite_and_keep_conditions_and_clauses():
    space = Conditional("wine", levels=3, cache="none").problem.space
    assert len(space.conditions) == 3
    assert len(space.forbidden_clauses) == 2
    assert space["C"].sequence == pytest.approx((0.01, 10**0.5, 1000))


def test_a_task_that_is_none_is_refused():
    with pytest.raises(SettingError, match="did you mean 'digits'"):
        Conditional("digit")
