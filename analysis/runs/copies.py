"""Find copies: proposals that their own prompt shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.choices import text_of
from harness.faults import FIDELITY
from harness.objects import find_objects

Fidelities = Sequence[Mapping[str, Any]]


class Prompts:
    """The configurations in one run's prompts; a message that many prompts contain is read once."""

    def __init__(self) -> None:
        self._shown_in: dict[str, frozenset[str]] = {}

    def shown(self, call: Mapping[str, Any]) -> frozenset[str] | None:
        """Every JSON object in a call's messages, also nested ones, by its ``text_of``.

        Args:
            call: A line of ``calls.jsonl``; its messages include the model's earlier turns.

        Returns:
            The texts; None if the call has no recorded messages.
        """
        messages = call.get("messages")
        if not isinstance(messages, list):
            return None
        texts = [message.get("content") for message in messages if isinstance(message, Mapping)]
        return frozenset().union(*(self._read(text) for text in texts if isinstance(text, str)))

    def _read(self, text: str) -> frozenset[str]:
        if text not in self._shown_in:
            objects = find_objects(text).objects
            self._shown_in[text] = frozenset(text_of(each) for _, _, found in objects for each in _inside(found))
        return self._shown_in[text]


def written(row: Mapping[str, Any], fidelities: Fidelities = ()) -> frozenset[str]:
    """The texts with which a prompt may have shown a proposal.

    Args:
        row: A line of ``trials.jsonl`` with a proposal.
        fidelities: The task's fidelities, as in ``run.json``; the highest may be written or left out.
    """
    proposed, fidelity = row["proposed"], row["fidelity"]
    if fidelity is not None:
        return frozenset({text_of(proposed | {FIDELITY: fidelity})})
    highest = {known["name"]: known["upper"] for known in fidelities}
    return frozenset(text_of(each) for each in (proposed, proposed | ({FIDELITY: highest} if highest else {})))


def _inside(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a value, including the value itself."""
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _inside(item)
