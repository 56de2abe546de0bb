"""Is a proposal a copy: a configuration that the prompt it answers had shown?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.faults import FIDELITY
from harness.jsonl import plain
from harness.objects import find_objects

Fidelities = Sequence[Mapping[str, Any]]


class Prompts:
    """The configurations that one run's prompts show; a message that stands in many of them is read once."""

    def __init__(self) -> None:
        self._shown_in: dict[str, frozenset[str]] = {}

    def shown(self, call: Mapping[str, Any]) -> frozenset[str] | None:
        """Every JSON object in a call's messages, also one inside another or in a list, each under its ``key``.

        Args:
            call: A line of ``calls.jsonl``; what the model itself said in earlier turns is among its messages.

        Returns:
            None where the call has no record of its messages.
        """
        messages = call.get("messages")
        if not isinstance(messages, list):
            return None
        texts = [message.get("content") for message in messages if isinstance(message, Mapping)]
        return frozenset().union(*(self._read(text) for text in texts if isinstance(text, str)))

    def _read(self, text: str) -> frozenset[str]:
        if text not in self._shown_in:
            objects, _ = find_objects(text)
            self._shown_in[text] = frozenset(key(each) for _, _, found in objects for each in _inside(found))
        return self._shown_in[text]


def written(row: Mapping[str, Any], fidelities: Fidelities = ()) -> frozenset[str]:
    """The keys under which a proposal may have been shown.

    Args:
        row: A line of ``trials.jsonl`` with a proposal.
        fidelities: Those of the task, as ``run.json`` has them: the highest may be written out or left out.
    """
    proposed, fidelity = row["proposed"], row["fidelity"]
    if fidelity is not None:
        return frozenset({key(proposed | {FIDELITY: fidelity})})
    highest = {known["name"]: known["upper"] for known in fidelities}
    return frozenset({key(proposed), key(proposed | {FIDELITY: highest}) if highest else key(proposed)})


def key(value: Any) -> str:
    """The same text for values that are equal as JSON: keys in any order, 1 and 1.0 one number, 1 and true two."""
    return json.dumps(_one_kind_of_number(plain(value)), sort_keys=True, separators=(",", ":"))


def _one_kind_of_number(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {name: _one_kind_of_number(item) for name, item in value.items()}
    return [_one_kind_of_number(item) for item in value] if isinstance(value, list) else value


def _inside(value: Any) -> Iterator[dict[str, Any]]:
    """The value if it is an object, and every object in it."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _inside(item)
