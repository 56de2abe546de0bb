"""Replies that hold several configurations, each with a value the model predicts for it."""

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
"""Where a reply must be an object, this key holds the list."""
PREDICTED_KEY = "predicted"
FINEST_PREDICTION = 1e-6
"""Bounds the digits that a model can ramble on with where its reply is decoded under a schema."""


@dataclass(frozen=True, slots=True)
class Item:
    """One configuration as written, or None where there is none, and the prediction beside it, None without one."""

    params: dict[str, Any] | None
    predicted: float | None = None


def form(problem: Problem, decoding: Decoding, reasoning: bool) -> str:
    """The shape of a reply, without values."""
    item = f'{{"{ANSWER_KEY}": {placeholder(problem)}, "{PREDICTED_KEY}": y}}'
    if decoding.mode == "free":
        return f"[{item}, ...]"
    before = '"reasoning": "...", ' if reasoning else ""
    return f'{{{before}"{LIST_KEY}": [{item}, ...]}}'


def schema(problem: Problem, decoding: Decoding, count: int, reasoning: bool) -> dict[str, Any]:
    """A JSON schema of the reply: an object with a list of ``count`` items, in the bounds of the whole space."""
    predicted = {"type": "number", "multipleOf": FINEST_PREDICTION}
    item = closed_object({ANSWER_KEY: json_schema(problem.space, decoding.schema), PREDICTED_KEY: predicted})
    return list_schema(item, LIST_KEY, count, reasoning)


def read(text: str, count: int, last: bool = False) -> list[Item]:
    """The items of a reply: a list, objects one after the other, or an object that holds the list.

    Args:
        text: The raw reply; what is whole in one that was cut off counts.
        count: Most items taken.
        last: Take the last ones, where the model was asked to reason first.
    """
    entries: list[Any] = []
    for piece in object_texts(text, ANSWER_KEY):
        found, place = _object(piece), piece.find(f'"{LIST_KEY}"')
        if found is None and place >= 0:  # that one of its items cannot be read is not the others' fault
            entries += map(_object, object_texts(piece[place:]))
            continue
        inner = None if found is None else found.get(LIST_KEY)
        entries += inner if isinstance(inner, list) else [found]
    return [_item(entry) for entry in (entries[-count:] if last else entries[:count])]


def _object(piece: str) -> dict[str, Any] | None:
    """The object that a text is, or None if it cannot be read: it is some item's place all the same."""
    objects = find_objects(piece).objects
    return objects[0][2] if objects else None


def _item(entry: Any) -> Item:
    """A configuration stands under its key; an item without that key is the configuration itself."""
    if not isinstance(entry, dict):
        return Item(None)
    params = entry.get(ANSWER_KEY)
    if not isinstance(params, dict):
        params = {key: value for key, value in entry.items() if key != PREDICTED_KEY}
    return Item(params, number(entry.get(PREDICTED_KEY)))


def number(value: Any) -> float | None:
    """A finite number as a model wrote it, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
