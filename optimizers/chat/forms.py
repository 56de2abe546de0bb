"""Forms of an answer: which hyperparameters a configuration contains, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ConfigSpace import ConfigurationSpace

from harness.branches import branches_of
from harness.choices import Choices, has_choices
from harness.clauses import conditions_text
from harness.parts import Interval, Part, is_integer

MOST_FORMS = 6
"""Maximum number of forms, one per case of a space's conditions; beyond it conditions are written beside the keys."""


def forms(space: ConfigurationSpace) -> list[dict[str, str]]:
    """Name -> placeholder, one form for every set of active hyperparameters.

    Hyperparameters that decide between the forms are given as values, without forbidden combinations if possible;
    others are x. With more than ``MOST_FORMS``, there is one form, in which each conditional hyperparameter has its
    condition beside it.
    """
    found = branches_of(space, clauses=bool(space.conditions), limit=MOST_FORMS)
    if found.unsaid:
        found = branches_of(space, clauses=False, limit=MOST_FORMS)
    if not found.unsaid:
        shown = [{entry.name: _place(space[entry.name], entry.part) for entry in branch} for branch in found.branches]
        return [_left_open(form) for form in shown]
    conditions = {name: conditions_text(space, name) for name in space}
    return [{name: f"x (only if {when}, else left out)" if when else "x" for name, when in conditions.items()}]


def _left_open(form: dict[str, str]) -> dict[str, str]:
    """A form that is not valid JSON, so that a reply that repeats it is not parsed as an answer."""
    try:
        json.loads(shape(form))
    except ValueError:
        return form
    return {name: f"one of [{place}]" for name, place in form.items()}


def _place(hyperparameter: Any, part: Part | None) -> str:
    if part is None:
        return "x"
    if has_choices(hyperparameter):
        forms = Choices(hyperparameter).forms
        listed = [forms[place] for place in part if isinstance(place, int)]
        return json.dumps(listed[0]) if len(listed) == 1 else f"one of {json.dumps(listed)}"
    return " or ".join(_interval(hyperparameter, each) for each in part if isinstance(each, Interval))


def _interval(hyperparameter: Any, interval: Interval) -> str:
    lower, upper = repr(interval.lower), repr(interval.upper)
    if interval.one:
        return lower
    kind = "an integer" if is_integer(hyperparameter) else "a number"
    start, end = "above" if interval.above else "from", "to below" if interval.below else "to"
    return f"{kind} {start} {lower} {end} {upper}"


def shape(places: Mapping[str, str]) -> str:
    """The text of a form: name -> placeholder."""
    return "{" + ", ".join(f"{json.dumps(name)}: {place}" for name, place in places.items()) + "}"
