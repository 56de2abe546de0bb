"""probe.names=anonymous: hyperparameters without names, choices without words."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ConfigSpace.hyperparameters import CategoricalHyperparameter, Constant, Hyperparameter, OrdinalHyperparameter

from benchmarks.discretize import values_of
from benchmarks.probe_space import Shown
from harness.check import builtin


def anonymous(shown: Mapping[str, Shown]) -> dict[str, Shown]:
    """The same under the names x1, x2, ... in their order (x01, ... where there are ten or more, to keep it).

    Words become c1, c2, ... in the order of a hyperparameter's choices; booleans and numbers stay. Descriptions of
    hyperparameters are dropped.

    Args:
        shown: True name -> how it is shown; its hyperparameters are copied.
    """
    width = len(str(len(shown)))
    return {name: _anonymous(each, f"x{i:0{width}}") for i, (name, each) in enumerate(shown.items(), start=1)}


def _anonymous(shown: Shown, name: str) -> Shown:
    old = shown.hyperparameter
    finite = isinstance(old, CategoricalHyperparameter | OrdinalHyperparameter | Constant)
    values = [builtin(value) for value in values_of(old)] if finite else []
    if not any(isinstance(value, str) for value in values):
        renamed = copy.copy(old)
        renamed.name, renamed.meta = name, None
        return Shown(renamed, shown.show, shown.read, shown.same)
    codes = {value: f"c{i}" if isinstance(value, str) else value for i, value in enumerate(values, start=1)}
    words = {code: value for value, code in codes.items()}
    return Shown(
        _coded(old, name, codes),
        lambda value: codes[shown.show(value)],
        lambda code: shown.read(words[code]),
    )


def _coded(old: Any, name: str, codes: Mapping[Any, Any]) -> Hyperparameter[Any, Any]:
    if isinstance(old, Constant):
        return Constant(name, codes[builtin(old.value)])
    values, default = list(codes.values()), codes[builtin(old.default_value)]
    if isinstance(old, OrdinalHyperparameter):
        return OrdinalHyperparameter(name, values, default_value=default)
    return CategoricalHyperparameter(name, values, default_value=default, weights=old.weights)
