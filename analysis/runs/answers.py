"""What the calls behind a proposal say: had their prompts shown it, did the model decline, was it cut off?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from analysis.runs.copies import Fidelities, Prompts, written
from analysis.runs.declined import is_refusal
from analysis.runs.lines import call_lines
from harness.chat import LENGTH


class Answered(TypedDict):
    """What the replies behind one proposal tell.

    Attributes:
        replies: Number of replies the proposal was read from; 0 where no model answered.
        copy: Whether a prompt of theirs showed it; None without replies, and where one of them is not on record.
        refusal: Whether nothing could be read because the model declined; None likewise.
        cut_off: Whether one of them hit its token limit, whatever could be read before; None likewise, and where the
            server did not say why it ended.
    """

    replies: int
    copy: bool | None
    refusal: bool | None
    cut_off: bool | None


def read_answers(rows: Sequence[Mapping[str, Any]], path: Path, fidelities: Fidelities = ()) -> list[Answered]:
    """One entry per trial, in order.

    Args:
        rows: Lines of the run's ``trials.jsonl``.
        path: Its ``calls.jsonl``, read once, and only if a model answered; there may be none.
        fidelities: Those of the task, as ``run.json`` has them.

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
    """What the calls behind one proposal tell of it; ``calls`` are lines of ``calls.jsonl`` by their ids."""
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
