"""Convert a search space for SMAC: its local search keeps choices in sets, and it writes spaces as JSON."""

from __future__ import annotations

import copy
from typing import Any

from ConfigSpace import Categorical, ConfigurationSpace, Constant, OrdinalHyperparameter

from harness.choices import Choices, builtin, has_choices
from harness.shown_space import as_it_is, by_place, rebuilt


def for_smac(space: ConfigurationSpace) -> ConfigurationSpace:
    """A copy with hashable choices, at the same indices and with the same equalities."""
    odd = {name for name, each in space.items() if has_choices(each) and not _is_plain(each)}
    if not odd:
        return copy.deepcopy(space)
    shown = {}
    for name, each in space.items():
        shown[name] = as_it_is(each)
        if name in odd:
            new = _standing_in(each)
            shown[name] = by_place(each, new, range(len(Choices(each).values)))
    return rebuilt(space, shown, space.name)


def stand_in(value: Any) -> Any:
    """Replacement of a choice: lists as tuples, dicts as tuples of their entries, NumPy scalars as builtin ones."""
    if isinstance(value, dict):
        return "{}", *((key, stand_in(value[key])) for key in sorted(value))
    return tuple(map(stand_in, value)) if isinstance(value, list | tuple) else builtin(value)


def _is_plain(hyperparameter: Any) -> bool:
    return all(type(choice) in (type(None), bool, int, float, str) for choice in Choices(hyperparameter).declared)


def _standing_in(old: Any) -> Any:
    choices = [stand_in(choice) for choice in Choices(old).values]
    if isinstance(old, Constant):
        return Constant(old.name, choices[0], meta=old.meta)
    default = choices[Choices(old).place(old.default_value)]
    if isinstance(old, OrdinalHyperparameter):
        return OrdinalHyperparameter(old.name, choices, default_value=default, meta=old.meta)
    return Categorical(old.name, choices, default=default, weights=old.weights, meta=old.meta)
