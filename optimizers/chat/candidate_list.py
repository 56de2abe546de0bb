"""Parse replies that hold several configurations, each with a predicted value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from harness.objects import find_objects, object_texts
from harness.problem import Problem
from llms.decoding import Decoding
from llms.schema import closed_object, json_schema, list_schema
from optimizers.chat.parse import ANSWER_KEY
from optimizers.chat.prompt import placeholder

LIST_KEY = "candidates"
"""Key of the list in replies that must be an object."""
PREDICTED_KEY = "predicted"
FINEST_PREDICTION = 1e-6
"""Limits the digits of a number that is decoded under a schema, which models may repeat endlessly."""


@dataclass(frozen=True, slots=True)
class Item:
    """One configuration as written and its prediction, each None if missing."""

    params: dict[str, Any] | None
    predicted: float | None = None


def form(problem: Problem, decoding: Decoding, reasoning: bool) -> str:
    """The form of a reply, without values."""
    item = f'{{"{ANSWER_KEY}": {placeholder(problem)}, "{PREDICTED_KEY}": y}}'
    if decoding.mode == "free":
        return f"[{item}, ...]"
    before = '"reasoning": "...", ' if reasoning else ""
    return f'{{{before}"{LIST_KEY}": [{item}, ...]}}'


def schema(problem: Problem, decoding: Decoding, count: int, reasoning: bool) -> dict[str, Any]:
    """JSON schema of the reply: an object with a list of ``count`` items, within the bounds of the whole space."""
    predicted = {"type": "number", "multipleOf": FINEST_PREDICTION}
    item = closed_object({ANSWER_KEY: json_schema(problem.space, decoding.schema), PREDICTED_KEY: predicted})
    return list_schema(item, LIST_KEY, count, reasoning)


def read(text: str, count: int, last: bool = False) -> list[Item]:
    """The items of a reply: a list, a sequence of objects, or an object that holds the list.

    Args:
        text: The raw reply; complete items of a truncated one count.
        count: Maximum number of items.
        last: Take the last ones, if the model was asked to reason first.
    """
    entries: list[Any] = []
    for piece in object_texts(text, ANSWER_KEY):
        found, place = _object(piece), piece.find(f'"{LIST_KEY}"')
        if found is None and place >= 0:  # an unreadable item does not invalidate the others
            entries += map(_object, object_texts(piece[place:]))
            continue
        inner = None if found is None else found.get(LIST_KEY)
        entries += inner if isinstance(inner, list) else [found]
    return [_item(entry) for entry in (entries[-count:] if last else entries[:count])]


def _object(piece: str) -> dict[str, Any] | None:
    """The object in a text, or None if it is unreadable; it still takes the place of an item."""
    objects = find_objects(piece).objects
    return objects[0][2] if objects else None


def _item(entry: Any) -> Item:
    """A configuration is under its key; an item without that key is the configuration itself."""
    if not isinstance(entry, dict):
        return Item(None)
    params = entry.get(ANSWER_KEY)
    if not isinstance(params, dict):
        params = {key: value for key, value in entry.items() if key != PREDICTED_KEY}
    return Item(params, number(entry.get(PREDICTED_KEY)))


def number(value: Any) -> float | None:
    """A finite number in a model's reply, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
