"""Check the lines of trials.jsonl and calls.jsonl, because a log may be damaged or forged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.call_log import read_calls
from harness.errors import RunError
from harness.fields import WORDS, Check, is_object, is_text, is_time, list_of, mapping_to, or_none
from harness.jsonl import read_rows
from harness.scalars import is_quantity
from harness.trial import USAGE, Fault, Proposer, Quantity


def checked_trials(rows: list[dict[str, Any]], run: str) -> list[dict[str, Any]]:
    """Check the rows of a log and return them.

    Raises:
        RunError: A row is invalid; the message says which and why.
    """
    for number, row in enumerate(rows):
        if (wrong := wrong_in(row, _TRIAL, _TRIAL_IF_GIVEN)) is not None:
            raise RunError(f"Trial {number} of {run} {wrong}; move the run's folder away and run it again.")
    return rows


def call_lines(path: Path) -> list[dict[str, Any]]:
    """All rows of a recording; empty without a file.

    Raises:
        RunError: A row is not a valid call.
    """
    rows = read_calls(path)
    for number, row in enumerate(rows, start=1):
        if (wrong := wrong_in(row, _CALL, _CALL_IF_GIVEN)) is not None:
            raise RunError(f"Line {number} of {path} {wrong}; move the run's folder away and run it again.")
    return rows


def sweep_lines(path: Path) -> list[dict[str, Any]]:
    """All rows about commands; empty without a file.

    Raises:
        RunError: A row is not a valid command.
    """
    rows = read_rows(path)
    for number, row in enumerate(rows, start=1):
        if (wrong := wrong_in(row, _SWEEP, _SWEEP_IF_GIVEN)) is not None:
            raise RunError(f"Line {number} of {path} {wrong}; move the file away.")
    return rows


def wrong_in(row: Any, needed: Mapping[str, Check], optional: Mapping[str, Check]) -> str | None:
    """What is wrong with a row, e.g. ``lacks 'usage'``; None if it is valid."""
    if not isinstance(row, dict):
        return f"is {_shown(row)}, not an object"
    for key, holds in needed.items():
        if key not in row:
            return f"lacks {key!r}"
        if not holds(row[key]):
            return f"cannot be read ({key} is {_shown(row[key])})"
    for key, holds in optional.items():
        if key in row and not holds(row[key]):
            return f"cannot be read ({key} is {_shown(row[key])})"
    return None


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def _is_number(value: Any) -> bool:
    return value in WORDS if isinstance(value, str) else _is_real(value)


def _is_real(value: Any) -> bool:
    """Whether a value is a finite number within the range of floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return is_quantity(value)
    except OverflowError:
        return False


def _is_amount(value: Any) -> bool:
    return _is_real(value) and value >= 0


def _is_half(value: Any) -> bool:
    """Whether a value is a distance to the nearest level, in steps."""
    return _is_amount(value) and 0 < value <= 0.5


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_fault(value: Any) -> bool:
    return isinstance(value, str) and value in set(Fault)


def _fields(needed: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    return lambda value: wrong_in(value, needed, optional or {}) is None


def _anything(value: Any) -> bool:
    return True


def _violation(fault: Check) -> Check:
    needed = {"fault": fault, "name": or_none(is_text), "value": _anything}
    return _fields(needed, {"steps": _is_half, "confused": is_text})


def _quantity(each: Quantity) -> Check:
    holds = _is_count if each.whole else _is_amount
    return or_none(holds) if each.null is not None else holds


_USAGE = _fields(
    {each.name: _quantity(each) for each in USAGE if each.older == "needed"},
    {each.name: _quantity(each) for each in USAGE if each.older != "needed"},
)
_CANDIDATE = _fields(
    {"proposed": or_none(is_object), "violations": list_of(_violation(_is_fault)), "call": or_none(_is_count)}
)
_TRIAL: dict[str, Check] = {
    "index": _is_count,
    "proposed": or_none(is_object),
    "violations": list_of(_violation(is_text)),  # ``flatten`` reports unknown faults
    "duplicate_of": or_none(_is_count),
    "repair": or_none(is_text),
    "executed": or_none(is_object),
    "fidelity": _anything,  # as proposed
    "losses": or_none(mapping_to(_is_number)),
    "metrics": or_none(is_object),
    "evaluation_seconds": or_none(_is_amount),
    "ask_seconds": _is_amount,
    "usage": _USAGE,
    "calls": list_of(_is_count),
    "error": or_none(is_text),
}
_TRIAL_IF_GIVEN: dict[str, Check] = {
    "near_duplicate_of": or_none(_is_count),
    "candidates": or_none(list_of(_CANDIDATE)),
    "reason": or_none(is_text),
    "predicted": or_none(_is_number),
    "left_out": or_none(_is_count),
    "proposer": or_none(lambda value: isinstance(value, str) and value in set(Proposer)),
}
_ENERGY = _fields(
    {},
    {
        "gpu_joules": or_none(_is_amount),
        "cpu_joules": or_none(_is_amount),
        "reason": or_none(is_text),
        "reasons": or_none(mapping_to(or_none(is_text))),
    },
)
_COUNTERS = ("requests", "prompt_tokens", "generation_tokens", "prefix_cache_queries", "prefix_cache_hits")
_SERVER = _fields(
    {},
    {
        "url": or_none(is_text),
        "reason": or_none(is_text),
        "counters": lambda value: not value or _fields(dict.fromkeys(_COUNTERS, _is_amount))(value),
    },
)
_SWEEP: dict[str, Check] = {"started_at": is_time, "finished_at": is_time, "runs": list_of(is_text)}
_SWEEP_IF_GIVEN: dict[str, Check] = {
    "seconds": or_none(_is_amount),
    "host": or_none(is_text),
    "energy": or_none(_ENERGY),
    "server": or_none(_SERVER),
}
_CALL: dict[str, Check] = {
    "id": or_none(_is_count),
    "reply": or_none(is_text),
    "usage": or_none(_USAGE),
    "seconds": or_none(_is_amount),
    "started_at": is_time,
}
_CALL_IF_GIVEN: dict[str, Check] = {
    "sampling": or_none(is_object),
    "finish_reason": or_none(is_text),
    "attempts": or_none(_is_count),
    "server": or_none(is_text),
    "model": or_none(is_text),
}
