"""A benchmark's declarations are checked when they are made."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float, ForbiddenEqualsClause, Integer
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ContractError
from harness.problem import Description, Fidelity, Objective, Problem
from harness.validity import Checker
from tests.support.command import hyperbole, sentence
from tests.support.fakes import VALID, rich_space

ERROR = Objective("error", "minimize")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("acc", "max"), "Unknown direction of objective 'acc' 'max'; did you mean 'maximize'"),
        (("acc", "Maximize"), "did you mean 'maximize'"),
        (("acc", None), "Unknown direction of objective 'acc' 'None'"),
        (("acc", ["minimize"]), "Unknown direction"),
        (("error", "minimize", 0.3, 0.0), "'error' is minimized, but has optimum 0.3 and worst 0.0"),
        (("acc", "maximize", 0.0, 1.0), "'acc' is maximized, but has optimum 0.0 and worst 1.0"),
        (("acc", "maximize", None, None, (0.0, 1.0)), "scale from best 0.0 to worst 1.0"),
        (("error", "minimize", None, None, (1.0, 0.0)), "scale from best 1.0 to worst 0.0"),
        (("acc", "maximize", 97.0, None, (1.0, 0.0)), "best of the scale 1.0 and optimum 97.0"),
        (("acc", "maximize", None, -0.5, (1.0, 0.0)), "worst -0.5 and worst of the scale 0.0"),
        (("error", "minimize", math.nan), "optimum is nan; give a finite number"),
        (("error", "minimize", None, math.inf), "worst is inf; give a finite number"),
        (("error", "minimize", None, 1.7e308), "worst is 1.7e+308; give a finite number, 1e+150 at most"),
        (("error", "minimize", "0"), "optimum is '0'; give a finite number"),
        (("error", "minimize", True), "optimum is True; give a finite number"),
        (("error", "minimize", None, None, (0.0,)), "give the best and the worst value"),
        (("error", "minimize", None, None, 1.0), "give the best and the worst value"),
        (("error", "minimize", None, None, (0.0, math.nan)), "scale is nan"),
        (("", "minimize"), "The name of an objective is ''"),
        ((5, "minimize"), "The name of an objective is 5"),
        (("a\nb", "minimize"), "visible characters, on one line"),  # run.json with such a name is none
        (("err\u200b", "minimize"), "visible characters, on one line"),
        (("\ud800", "minimize"), "visible characters, on one line"),
    ],
)
def test_an_objective_that_cannot_be_is_refused(arguments, told):
    with pytest.raises(ContractError) as error:
        Objective(*arguments)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_an_objective_that_can_be_is_kept_in_builtin_numbers():
    made = Objective("acc", "maximize", np.float32(0.5), np.int64(0), [1, 0])
    assert made == Objective("acc", "maximize", 0.5, 0.0, (1.0, 0.0))
    assert {type(made.optimum), type(made.worst), *map(type, made.scale)} == {float}
    Objective("constant", "minimize", 1.0, 1.0)
    Objective("rounded", "maximize", 1.0000000000000002, None, (1.0, 0.0))


NUMBERS = st.none() | st.floats() | st.integers() | st.sampled_from(["0", True, [1]])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["minimize", "maximize", "max"]), NUMBERS, NUMBERS, st.none() | st.tuples(NUMBERS, NUMBERS))
def test_any_declaration_is_valid_or_refused(direction, optimum, worst, scale):
    try:
        made = Objective("o", direction, optimum, worst, scale)
    except ContractError:
        return
    ends = [value for value in (made.optimum, made.worst, *(made.scale or ())) if value is not None]
    assert all(type(value) is float and math.isfinite(value) for value in ends)
    if made.optimum is not None and made.worst is not None and made.optimum != made.worst:
        assert made.loss(made.optimum) < made.loss(made.worst) or math.isclose(made.optimum, made.worst)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("epochs", 9, 1), "goes from 9 to 1"),
        (("epochs", 1, math.inf), "upper is inf"),
        (("epochs", 0.5, 9, True), "is for whole numbers, but its lower bound is 0.5"),
        (("epochs", None, 9), "lower is None"),
        (("", 1, 9), "The name of a fidelity is ''"),
    ],
)
def test_a_fidelity_that_cannot_be_is_refused(arguments, told):
    with pytest.raises(ContractError) as error:
        Fidelity(*arguments)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("default", "told"),
    [
        (VALID | {"cost": 5000.0}, "cost = 5000.0 is out of range"),
        (VALID | {"cost": "1"}, 'cost = "1" has the wrong type'),
        (VALID | {"cost": math.nan}, "cost"),
        (VALID | {"kernel": "cubic"}, 'kernel = "cubic" is not one of the allowed values'),
        (VALID | {"batch": 48}, "batch = 48 is not one of the allowed values"),
        (VALID | {"kind": "tree"}, "kind"),
        (VALID | {"degree": 3}, "degree = 3 is given although it is not active"),
        (VALID | {"kernel": "poly"}, "degree is missing"),
        (VALID | {"kernel": "linear", "batch": 64}, "forbidden"),
        (VALID | {"made_up": 1}, "made_up is not a hyperparameter"),
        ({}, "kernel is missing"),
        (None, "default is NoneType"),
        ([("cost", 1.0)], "default is list"),
    ],
)
def test_a_default_outside_its_own_space_is_refused(default, told):
    with pytest.raises(ContractError) as error:
        Problem("rich", rich_space(), (ERROR,), default)
    assert told in str(error.value)
    assert str(error.value).startswith("Problem 'rich'")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("p", rich_space(), (), VALID), "has no objective"),
        (("p", rich_space(), (ERROR, Objective("error", "maximize")), VALID), "2 are named 'error'"),
        (("p", rich_space(), ERROR, VALID), "objectives is Objective; give a tuple of Objective"),
        (("p", rich_space(), ("error",), VALID), "objectives holds str; give a tuple of Objective"),
        (("p", {"x": (0, 1)}, (ERROR,), {"x": 0}), "space is dict, not a ConfigSpace.ConfigurationSpace"),
        (("", rich_space(), (ERROR,), VALID), "The name of a problem is ''"),
        (
            ("p", rich_space(), (ERROR,), VALID, (), "A net. The data set is iris."),
            "description is str; give Description(",
        ),
        (("p", rich_space(), (ERROR,), VALID, (), None), "description is NoneType; give Description(model=..., data="),
        (("p", rich_space(), (ERROR,), VALID, (Fidelity("e", 1, 2), Fidelity("e", 1, 3))), "2 are named 'e'"),
    ],
)
def test_a_problem_that_cannot_be_is_refused(arguments, told):
    with pytest.raises(ContractError) as error:
        Problem(*arguments)
    assert told in str(error.value)


@pytest.mark.parametrize(("parts", "told"), [((None,), "model is NoneType"), (("A net.", 3), "data is int; give a")])
def test_a_description_is_made_of_texts(parts, told):
    with pytest.raises(ContractError, match=told):
        Description(*parts)


@st.composite
def spaces(draw):
    space = ConfigurationSpace(seed=0)
    kind, depth, rate = Categorical("kind", ["a", "b"]), Integer("depth", (1, 5)), Float("rate", (0.0, 1.0))
    space.add([kind, depth, rate])
    if draw(st.booleans()):
        space.add(EqualsCondition(rate, kind, draw(st.sampled_from("ab"))))
    if draw(st.booleans()):
        space.add(ForbiddenEqualsClause(depth, 5))
    return space


VALUES = st.sampled_from(["a", "b", "c", 1, 5, 6, 0.5, 1.0, -1.0, True, None, math.nan])


@settings(max_examples=150, deadline=None)
@given(spaces(), st.dictionaries(st.sampled_from(["kind", "depth", "rate", "other"]), VALUES))
def test_a_default_is_refused_just_where_the_check_says_so(space, default):
    valid = not Checker(space).check(default)[1]
    try:
        Problem("p", space, (ERROR,), default)
    except ContractError:
        assert not valid
    else:
        assert valid


def test_the_command_says_so_in_one_sentence(tmp_path):
    (tmp_path / "wrong.py").write_text(
        "from benchmarks.toy import Toy\n"
        "from dataclasses import replace\n"
        "class Wrong(Toy):\n"
        "    def __init__(self, task='peak', failure_rate=0.0):\n"
        "        super().__init__(task)\n"
        "        self.problem = replace(self.problem, default={})\n"
    )
    told = sentence(
        hyperbole("benchmark=toy", "benchmark._target_=wrong.Wrong", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    )
    assert "its default is not a configuration of its space" in told
