"""Facts from the calls of a proposal: did the prompt show it, did the model refuse, was the reply truncated?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from analysis.runs.copies import Fidelities, Prompts, written
from analysis.runs.declined import is_refusal
from analysis.runs.lines import call_lines
from harness.chat import LENGTH


class Answered(TypedDict):
    """Facts from the replies of one proposal.

    Attributes:
        replies: Number of replies that the proposal was read from; 0 if no model answered.
        copy: Whether one of the prompts showed it; None without replies, or if one of them is not recorded.
        refusal: Whether nothing could be read because the model refused; None likewise.
        cut_off: Whether a reply hit its token limit, even if the proposal could be read; None likewise, or if the
            server did not report a finish reason.
    """

    replies: int
    copy: bool | None
    refusal: bool | None
    cut_off: bool | None


def read_answers(rows: Sequence[Mapping[str, Any]], path: Path, fidelities: Fidelities = ()) -> list[Answered]:
    """One entry per trial, in order.

    Args:
        rows: Lines of the run's ``trials.jsonl``.
        path: The run's ``calls.jsonl``, read once and only if a model answered; it may be missing.
        fidelities: The task's fidelities, as in ``run.json``.

    Raises:
        RunError: A line of the file is not JSON.
    """
    needed = {number for row in rows for number in row.get("calls") or ()}
    calls = {call["id"]: call for call in call_lines(path) if call.get("id") in needed} if needed else {}
    prompts = Prompts()
    return [answered(row, calls, prompts, fidelities) for row in rows]


def answered(
    row: Mapping[str, Any], calls: Mapping[int, Mapping[str, Any]], prompts: Prompts, fidelities: Fidelities = ()
) -> Answered:
    """The facts on one proposal; ``calls`` are lines of ``calls.jsonl`` by id."""
    numbers = row.get("calls") or ()
    behind = [calls[number] for number in numbers if number in calls]
    if not numbers or len(behind) < len(numbers):
        return Answered(replies=len(numbers), copy=None, refusal=None, cut_off=None)
    endings = {call.get("finish_reason") for call in behind}
    cut_off = True if LENGTH in endings else None if None in endings else False
    if row["proposed"] is None:
        declined = any(call.get("refusal") or is_refusal(str(call.get("reply"))) for call in behind)
        return Answered(replies=len(numbers), copy=False, refusal=declined, cut_off=cut_off)
    shown = [prompts.shown(call) for call in behind]
    names = written(row, fidelities)
    known = [not names.isdisjoint(objects) for objects in shown if objects is not None]
    copied = any(known) if len(known) == len(shown) else None
    return Answered(replies=len(numbers), copy=copied, refusal=False, cut_off=cut_off)
