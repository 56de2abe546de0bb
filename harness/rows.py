"""Convert a trial to a row of ``trials.jsonl``, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.choices import loggable
from harness.jsonl import plain
from harness.problem import Outcome
from harness.trial import Candidate, Fault, Trial, Violation

DECIDED = ("proposed", "violations", "duplicate_of", "repair", "executed", "fidelity", "calls")
"""Columns determined by the optimizer, the check and the repair, which a replay must reproduce."""

IF_GIVEN = ("steps", "confused")
"""Optional fields of a violation."""


def to_row(trial: Trial, started_at: str) -> dict[str, Any]:
    """The row of a trial, in builtin JSON values."""
    proposal, outcome = trial.proposal, trial.outcome
    return {
        "index": trial.index,
        "proposed": loggable(proposal.params),
        "violations": _violations(trial.violations),
        "duplicate_of": trial.duplicate_of,
        "near_duplicate_of": trial.near_duplicate_of,
        "repair": trial.repair,
        "executed": loggable(trial.params),
        "evaluated": None if outcome is None else loggable(outcome.evaluated),
        "fidelity": loggable(proposal.fidelity),
        "losses": None if outcome is None else outcome.losses,
        "metrics": None if outcome is None else outcome.metrics,
        "evaluation_seconds": trial.evaluation_seconds,
        "ask_seconds": trial.ask_seconds,
        "usage": asdict(proposal.usage),
        "calls": list(proposal.calls),
        "candidates": [_candidate(candidate) for candidate in proposal.candidates] or None,
        "note": proposal.note,
        "reason": proposal.reason,
        "predicted": loggable(proposal.predicted),
        "left_out": proposal.left_out,
        "proposer": None if proposal.proposer is None else str(proposal.proposer),
        "error": trial.error,
        "started_at": started_at,
    }


def outcome_of(row: dict[str, Any]) -> Outcome | None:
    """The outcome recorded in a row."""
    if row["losses"] is None:
        return None
    return Outcome(row["losses"], row["metrics"] or {}, row["evaluation_seconds"], row.get("evaluated"))


def drawn_candidates(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row's candidates from a language model; none in older rows."""
    return [candidate for candidate in row.get("candidates") or () if candidate["call"] is not None]


def difference(row: dict[str, Any], logged: dict[str, Any], knew_grid: bool = True) -> str | None:
    """The first such column in which a replayed row differs from the logged one, as a text; None if they agree.

    Args:
        row: The replayed row.
        logged: The recorded row.
        knew_grid: Whether the log distinguishes off-grid numbers.
    """
    if not knew_grid:
        row = in_older_words(row, logged)
    for column in DECIDED:
        if plain(row[column]) != logged[column]:
            return f"{column} was {logged[column]!r} and is now {row[column]!r}"
    return None


def in_older_words(row: dict[str, Any], logged: Mapping[str, Any]) -> dict[str, Any]:
    """A new row, with its violations as recorded by versions without the fault off_grid.

    These recorded a number between an ordinal's levels as not_a_choice, or as wrong_type if it has a fraction and the
    levels have none; a fraction beyond the levels was wrong_type too. If the record differs otherwise, the row stays.
    """
    changed = {**row, "violations": _older(row["violations"], logged["violations"])}
    drawn, before = row.get("candidates") or [], logged.get("candidates") or []
    if drawn and len(drawn) == len(before):
        pairs = zip(drawn, before, strict=True)
        changed["candidates"] = [
            {**new, "violations": _older(new["violations"], old["violations"])} for new, old in pairs
        ]
    return changed


def _older(violations: Sequence[dict[str, Any]], before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    plain_ones = [{key: value for key, value in each.items() if key not in IF_GIVEN} for each in violations]
    if len(plain_ones) != len(before):
        return plain_ones
    pairs = zip(plain_ones, before, strict=True)
    return [new | {"fault": old["fault"]} if _renamed(new["fault"], old["fault"]) else new for new, old in pairs]


def _renamed(now: str, before: str) -> bool:
    return before in (Fault.NOT_A_CHOICE, Fault.WRONG_TYPE) and now in (Fault.OFF_GRID, Fault.NOT_A_CHOICE)


def _violations(violations: Iterable[Violation]) -> list[dict[str, Any]]:
    return [
        {"fault": v.fault.value, "name": v.name, "value": loggable(v.value)}
        | {key: given for key in IF_GIVEN if (given := getattr(v, key)) is not None}
        for v in violations
    ]


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "proposed": loggable(candidate.params),
        "violations": _violations(candidate.violations),
        "call": candidate.call,
        "score": candidate.score,
        "note": candidate.note,
    }
