"""A trial as a row of ``trials.jsonl``, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.choices import loggable
from harness.jsonl import plain
from harness.problem import Outcome
from harness.trial import Candidate, Trial, Violation

DECIDED = ("proposed", "violations", "duplicate_of", "repair", "executed", "fidelity", "calls")
"""The columns the optimizer, the check and the repair decide: a replay must arrive at the same ones."""


def to_row(trial: Trial, started_at: str) -> dict[str, Any]:
    """The row of a trial: builtin JSON values only."""
    proposal, outcome = trial.proposal, trial.outcome
    usage = proposal.usage
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
        "usage": {
            "calls": usage.calls,
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
            "seconds": usage.seconds,
            "reasoning_tokens": usage.reasoning_tokens,
        },
        "calls": list(proposal.calls),
        "candidates": [_candidate(candidate) for candidate in proposal.candidates] or None,
        "note": proposal.note,
        "reason": proposal.reason,
        "predicted": loggable(proposal.predicted),
        "proposer": None if proposal.proposer is None else str(proposal.proposer),
        "error": trial.error,
        "started_at": started_at,
    }


def outcome_of(row: dict[str, Any]) -> Outcome | None:
    """The outcome a row recorded."""
    if row["losses"] is None:
        return None
    return Outcome(row["losses"], row["metrics"] or {}, row["evaluation_seconds"], row.get("evaluated"))


def drawn_candidates(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row's candidates that came from a language model; older rows have none."""
    return [candidate for candidate in row.get("candidates") or () if candidate["call"] is not None]


def difference(row: dict[str, Any], logged: dict[str, Any]) -> str | None:
    """The first decided column in which a replayed row departs from the logged one, in words; None if they agree."""
    for column in DECIDED:
        if plain(row[column]) != logged[column]:
            return f"{column} was {logged[column]!r} and is now {row[column]!r}"
    return None


def _violations(violations: Iterable[Violation]) -> list[dict[str, Any]]:
    return [{"fault": v.fault.value, "name": v.name, "value": loggable(v.value)} for v in violations]


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "proposed": loggable(candidate.params),
        "violations": _violations(candidate.violations),
        "call": candidate.call,
        "score": candidate.score,
        "note": candidate.note,
    }
