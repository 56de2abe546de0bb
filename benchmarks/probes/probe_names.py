"""probe.names=anonymous: hyperparameters and choices without meaningful names."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ConfigSpace.hyperparameters import CategoricalHyperparameter, Constant, Hyperparameter, OrdinalHyperparameter

from harness.choices import Choices, has_choices
from harness.levels import only_levels
from harness.shown_space import Shown, by_place


def anonymous(shown: Mapping[str, Shown]) -> dict[str, Shown]:
    """Rename hyperparameters to x1, x2, ... in their order (x01, ... if there are ten or more).

    Choices that are words, or lists or dicts with words, become c1, c2, ... in the order of the choices; booleans,
    numbers, null and lists of them stay. Descriptions are dropped.

    Args:
        shown: True name -> shown form; hyperparameters are copied.
    """
    width = len(str(len(shown)))
    return {name: _anonymous(each, f"x{i:0{width}}") for i, (name, each) in enumerate(shown.items(), start=1)}


def _anonymous(shown: Shown, name: str) -> Shown:
    old = shown.hyperparameter
    choices = Choices(old) if has_choices(old) else None
    if choices is None or not any(map(_says_words, choices.forms)):
        renamed = copy.copy(old)
        renamed.name, renamed.meta = name, only_levels(old.meta)
        return Shown(renamed, shown.show, shown.read, shown.same)
    codes = [
        f"c{i}" if _says_words(form) else value
        for i, (form, value) in enumerate(zip(choices.forms, choices.values, strict=True), start=1)
    ]
    coded = _coded(old, name, codes, codes[choices.place(old.default_value)])
    inner = by_place(old, coded, range(len(codes)))
    return Shown(coded, lambda value: inner.show(shown.show(value)), lambda code: shown.read(inner.read(code)))


def _says_words(form: Any) -> bool:
    """Whether a choice is a word or holds one, including keys of objects."""
    if isinstance(form, list):
        return any(map(_says_words, form))
    return isinstance(form, str | dict)


def _coded(old: Any, name: str, codes: list[Any], default: Any) -> Hyperparameter[Any, Any]:
    if isinstance(old, Constant):
        return Constant(name, codes[0])
    if isinstance(old, OrdinalHyperparameter):
        return OrdinalHyperparameter(name, codes, default_value=default)
    return CategoricalHyperparameter(name, codes, default_value=default, weights=old.weights)
