"""ConfigSpace's draws are converted as declared, and spaces whose draws would be invalid are refused."""

from __future__ import annotations

import pytest
from ConfigSpace import (
    AndConjunction,
    ConfigurationSpace,
    ForbiddenLessThanEqualsClause,
    GreaterThanCondition,
    Integer,
    OrdinalHyperparameter,
)

from harness.errors import SettingError
from harness.problem import Objective, Problem
from harness.space import default_of, refuse_unsound
from optimizers.chat.prompt import space_lines


def problem_of(space, default=None):
    return Problem("fake.space", space, (Objective("loss", "minimize"),), default or default_of(space))


def test_a_space_whose_own_draws_it_forbids_is_refused():
    """ConfigSpace 1.2 draws the opposite of this clause."""
    space = ConfigurationSpace(name="small", seed=0)
    size = OrdinalHyperparameter("size", ["small", "medium", "large"], default_value="large")
    space.add(size, ForbiddenLessThanEqualsClause(size, "medium"))
    with pytest.raises(SettingError, match=r"ConfigSpace draws what the space of fake\.space does not allow"):
        refuse_unsound(problem_of(space, {"size": "large"}))


def test_an_order_is_expressed_by_the_values_it_holds_for():
    """The order of words such as "small" cannot be guessed."""
    space = ConfigurationSpace(seed=0)
    size = OrdinalHyperparameter("size", ["small", (1, 2), None])
    depth, width = Integer("depth", (1, 9)), Integer("width", (1, 9))
    both = AndConjunction(GreaterThanCondition(width, size, "small"), GreaterThanCondition(width, depth, 4))
    space.add(size, depth, width, both)
    (line,) = [line for line in space_lines(problem_of(space)) if line.startswith('"width"')]
    assert line == '"width": an integer from 1 to 9, only given if (size in {[1, 2], null} and depth > 4)'


def test_the_default_is_the_spaces_own():
    space = ConfigurationSpace(seed=0)
    space.add(OrdinalHyperparameter("size", [(1,), 2], default_value=2), Integer("depth", (1, 9), default=3))
    assert default_of(space) == {"size": 2, "depth": 3}
