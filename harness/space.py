"""Search spaces: conversion of ConfigSpace's samples, and checks before a run."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from ConfigSpace import Configuration, ConfigurationSpace

from harness.choices import Choices, builtin, has_choices
from harness.errors import SpaceError
from harness.faults import describe
from harness.problem import Params, Problem
from harness.validity import Checker

TRIED = 32
"""Number of samples of a space that are checked before a run starts."""


class Decoder:
    """Converts ConfigSpace's configurations to builtin numbers and choices as declared.

    ConfigSpace itself returns (1, 0.5) and (True, 0.5) as (1.0, 0.5).

    Args:
        space: The search space; not changed.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self._columns = [(name, space.index_of[name], _reader(each)) for name, each in space.items()]

    def __call__(self, configuration: Configuration) -> Params:
        """The values of the active hyperparameters, in the space's order."""
        vector = configuration.get_array()
        return {
            name: read(configuration, float(vector[place]))
            for name, place, read in self._columns
            if not math.isnan(vector[place])
        }


def _reader(hyperparameter: Any) -> Callable[[Configuration, float], Any]:
    name = hyperparameter.name
    if has_choices(hyperparameter):
        choices = Choices(hyperparameter)
        if len(choices.values) == 1:
            return lambda _, vector: choices.value(0)  # the only value of a constant is at 1, not at 0
        return lambda _, vector: choices.value(round(vector))
    return lambda configuration, _: builtin(configuration[name])


def default_of(space: ConfigurationSpace) -> Params:
    """The space's own default configuration."""
    return Decoder(space)(space.get_default_configuration())


def refuse_unsound(problem: Problem) -> None:
    """Refuse a problem in which valid requests of the harness would be charged as faults.

    Raises:
        SpaceError: A choice has no JSON form, two share one, or ConfigSpace samples what the space forbids.
    """
    check = Checker(problem.space).check
    space = copy.deepcopy(problem.space)
    space.seed(0)
    read = Decoder(space)
    for drawn in space.sample_configuration(TRIED):
        if violations := check(read(drawn))[1]:
            raise SpaceError(
                f"ConfigSpace draws what the space of {problem.name} does not allow ({describe(violations[0])}); say "
                "that condition or clause differently, for example by the values for which it holds."
            )
