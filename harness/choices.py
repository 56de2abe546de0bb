"""Choices as Python values and in JSON form.

A space may contain ``None``, ``(64, 64)`` or ``{"depth": 2}``. The benchmark gets exactly this value; prompts, schemas,
replies and logs use its JSON form (``null``, ``[64, 64]``, ``{"depth": 2}``), and a proposal may use either.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)

from harness.errors import SpaceError
from harness.jsonl import plain
from harness.objects import MOST_LEVELS
from harness.scalars import whole

DEEPEST = MOST_LEVELS // 2
"""Largest nesting of a choice; a reply adds some levels."""
LONGEST = 80
_SCALARS = frozenset({type(None), bool, int, float, str})


def builtin(value: Any) -> Any:
    """A NumPy scalar as a Python scalar; anything else unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def loggable(value: Any) -> Any:
    """Any value in JSON types, for logs and prompts; other objects become their repr."""
    value = _scalar(value)
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Mapping):
        return {str(key): loggable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [loggable(item) for item in value]
    if isinstance(value, np.ndarray):
        return loggable(value.tolist())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return loggable(dataclasses.asdict(value))
    return repr(value)


def text_of(value: Any) -> str:
    """A canonical text: equal for values that are equal in JSON, with any order of keys, and for 1 and 1.0."""
    return json.dumps(_one_kind_of_number(plain(loggable(value))), sort_keys=True, separators=(",", ":"))


def _one_kind_of_number(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _one_kind_of_number(item) for name, item in value.items()}
    return [_one_kind_of_number(item) for item in value] if isinstance(value, list) else whole(value)


def key_of(choice: Any) -> Any:
    """A hashable key for a choice: a scalar itself, else its canonical text."""
    return choice if type(choice) in _SCALARS else text_of({"": choice})


def has_choices(hyperparameter: Hyperparameter[Any, Any]) -> bool:
    """Whether its values are listed, not a range."""
    return isinstance(hyperparameter, CategoricalHyperparameter | OrdinalHyperparameter | Constant)


class Choices:
    """The choices of a categorical, ordinal or constant hyperparameter, in its order.

    Attributes:
        declared: As declared in the space.
        values: As passed to a benchmark, with builtin scalars. Shared, so use ``value``.
        forms: In JSON form.

    Raises:
        SpaceError: A choice has no JSON form, or two have the same.
    """

    def __init__(self, hyperparameter: Hyperparameter[Any, Any]) -> None:
        name = hyperparameter.name
        self.declared = _declared(hyperparameter)
        self.values: tuple[Any, ...] = tuple(map(builtin, self.declared))
        self.forms: tuple[Any, ...] = tuple(_form_of(choice, name) for choice in self.values)
        self._one_number = any(map(_holds_float, self.forms))
        self._places: dict[Any, int] = {}
        for place, form in enumerate(self.forms):
            first = self._places.setdefault(self._key(form), place)
            if first != place:
                raise SpaceError(
                    f"The choices {_short(self.values[first])} and {_short(self.values[place])} of hyperparameter "
                    f"{name!r} are the same in JSON ({_short_json(form)}); keep one of them."
                )
        self._kinds = {key[0] for key in self._places}

    def value(self, place: int) -> Any:
        """The choice at a position, as passed to a benchmark; lists and dicts are copied."""
        found = self.values[place]
        return found if type(found) in _SCALARS else copy.deepcopy(found)

    def find(self, value: Any) -> int | None:
        """The position of a choice, given as Python value or JSON form; None if it is not a choice.

        As in JSON, true is not a number, a number in quotes is a string, and 1 equals 1.0.
        """
        place = self._places.get(self._key(value))
        if place is None and isinstance(value, np.generic):
            # ConfigSpace draws from one array, which turns True of (True, 0.5) into 1.0.
            item = value.item()
            equal = (i for i, known in enumerate(self.values) if type(known) in _SCALARS and known == item)
            return next(equal, None)
        return place

    def place(self, value: Any) -> int:
        """The position of a choice.

        Raises:
            KeyError: The value is not a choice.
        """
        found = self.find(value)
        if found is None:
            raise KeyError(value)
        return found

    def has_kind(self, value: Any) -> bool:
        """Whether a value has the JSON type (null, boolean, number, string, array or object) of any choice."""
        return self._key(value)[0] in self._kinds

    def _key(self, value: Any) -> tuple[Any, Any]:
        value = _scalar(value)
        kind = type(value)
        if kind in _SCALARS:
            known = value if self._one_number else whole(value)
            return (float, known) if kind is int and self._one_number else (type(known), known)
        if isinstance(value, np.ndarray):
            return self._key(value.tolist())
        if isinstance(value, list | tuple):
            return list, tuple(self._key(item) for item in value)
        if isinstance(value, dict):
            return dict, frozenset((key, self._key(item)) for key, item in value.items())
        return kind, None


def values_of(hyperparameter: Hyperparameter[Any, Any]) -> Sequence[Any]:
    """All values of a finite hyperparameter in order: builtin numbers, or choices as declared."""
    if has_choices(hyperparameter):
        return Choices(hyperparameter).values
    assert isinstance(hyperparameter, IntegerHyperparameter)
    return range(int(hyperparameter.lower), int(hyperparameter.upper) + 1)


def place_in(hyperparameter: Hyperparameter[Any, Any]) -> Callable[[Any], int]:
    """A function that returns the position of a legal value in ``values_of``."""
    if has_choices(hyperparameter):
        return Choices(hyperparameter).place
    assert isinstance(hyperparameter, IntegerHyperparameter)
    lower = int(hyperparameter.lower)
    return lambda value: int(value) - lower


def _declared(hyperparameter: Any) -> tuple[Any, ...]:
    if isinstance(hyperparameter, CategoricalHyperparameter):
        return tuple(hyperparameter.choices)
    if isinstance(hyperparameter, OrdinalHyperparameter):
        return tuple(hyperparameter.sequence)
    return (hyperparameter.value,)


def _scalar(value: Any) -> Any:
    """A NumPy scalar, or a subclass of a scalar (``enum.StrEnum``), as a plain JSON scalar."""
    value = builtin(value)
    if type(value) in _SCALARS or not isinstance(value, str | int | float):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else float(value)


def _form_of(choice: Any, name: str) -> Any:
    try:
        return _form(choice, DEEPEST)
    except ValueError as error:
        raise SpaceError(
            f"The choice {_short(choice)} of hyperparameter {name!r} has no JSON form: {error}; use a string as its "
            "name and look it up in the benchmark, or build it there from numbers, strings, true, false, null, "
            "lists or tuples."
        ) from None


def _form(value: Any, levels: int) -> Any:
    """The JSON form.

    Raises:
        ValueError: There is none; the message says why.
    """
    value = _scalar(value)
    if type(value) is float and not math.isfinite(value):
        raise ValueError(f"JSON has no {value}")
    if type(value) in _SCALARS:
        return value
    if levels == 0:
        raise ValueError(f"it has more than {DEEPEST} levels of nesting")
    if isinstance(value, list | tuple):
        return [_form(item, levels - 1) for item in value]
    if not isinstance(value, dict):
        raise ValueError(f"JSON has no {type(value).__name__}")
    if odd := [key for key in value if type(_scalar(key)) is not str]:
        raise ValueError(f"a key is {_short(odd[0])}, but JSON keys are strings")
    return {_scalar(key): _form(item, levels - 1) for key, item in value.items()}


def _holds_float(form: Any) -> bool:
    if isinstance(form, list | dict):
        return any(map(_holds_float, form.values() if isinstance(form, dict) else form))
    return isinstance(form, float)


def _short(value: Any) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"of type {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _short_json(form: Any) -> str:
    text = json.dumps(form)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
