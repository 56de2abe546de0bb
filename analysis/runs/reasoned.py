"""The reasons of proposals: their claims, and the proposed changes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from analysis.runs.claims import Direction, claims
from analysis.runs.load import Experiment, Run
from harness.jsonl import read_rows

KEPT, UNCHANGED, OPPOSITE = "kept", "unchanged", "opposite"
VERDICTS = (KEPT, UNCHANGED, OPPOSITE)


@dataclass(frozen=True, slots=True)
class Reasoned:
    """One proposal of a method that gave a reason for any of its proposals.

    Attributes:
        run: Its run.
        index: Its trial.
        reason: The model's text, or None.
        proposed: As proposed.
        shown: The last configuration evaluated before the ask; None at the start.
        claims: Hyperparameter -> claimed direction.
        changes: Hyperparameter -> direction of the change from ``shown``, if it can be judged.
    """

    run: Run
    index: int
    reason: str | None
    proposed: Any
    shown: dict[str, Any] | None
    claims: dict[str, Direction]
    changes: dict[str, Direction]

    @property
    def verdicts(self) -> dict[str, str]:
        """Hyperparameter -> verdict on its claim, if it can be judged."""
        judged = {name: claim for name, claim in self.claims.items() if name in self.changes}
        return {name: verdict(claim, self.changes[name]) for name, claim in judged.items()}


def read_reasons(experiment: Experiment) -> dict[str, list[Reasoned]]:
    """Method -> all proposals of its runs, for methods with any reason."""
    rows = {run.id: read_rows(run.folder / "trials.jsonl") for run in experiment.runs if run.info["llm"] is not None}
    gave = {run.method for run in experiment.runs if any(row.get("reason") for row in rows.get(run.id, ()))}
    names: dict[str, dict[str, None]] = {}
    for run in experiment.runs:
        for row in rows.get(run.id, ()):
            names.setdefault(run.task, {}).update(dict.fromkeys(row["executed"] or ()))
    found: dict[str, list[Reasoned]] = {}
    for run in experiment.runs:
        if run.method in gave and run.id in rows:
            found.setdefault(run.method, []).extend(_of_run(run, rows[run.id], tuple(names.get(run.task, ()))))
    return found


def verdict(claim: Direction, change: Direction) -> str:
    """The verdict on a claim, given the change."""
    if claim == change:
        return KEPT
    return UNCHANGED if change == "same" else OPPOSITE


def _of_run(run: Run, rows: list[dict[str, Any]], names: tuple[str, ...]) -> Iterable[Reasoned]:
    """The proposals of one run; those of a batch are compared with the last configuration before the batch."""
    shown: dict[str, Any] | None = None
    last: dict[str, Any] | None = None
    for row in rows:
        if row["usage"]["calls"]:
            shown = last
        proposed, reason = row["proposed"], row.get("reason") or None
        said = {} if reason is None else claims(reason, names)
        changes = _changes(shown, _meant(row)) if row["calls"] else {}
        yield Reasoned(run, int(row["index"]), reason, proposed, shown, said, changes)
        if row["losses"] is not None:
            last = row["executed"]


def _meant(row: dict[str, Any]) -> Any:
    """The proposal; for a valid one the executed configuration, in which short names of levels are resolved."""
    return row["proposed"] if row["violations"] or row["executed"] is None else row["executed"]


def _changes(shown: dict[str, Any] | None, proposed: Any) -> dict[str, Direction]:
    if shown is None or not isinstance(proposed, dict):
        return {}
    both = {name: (_number(shown[name]), _number(proposed[name])) for name in shown if name in proposed}
    return {name: _direction(old, new) for name, (old, new) in both.items() if old is not None and new is not None}


def _direction(before: float, after: float) -> Direction:
    if math.isclose(before, after, rel_tol=1e-9):
        return "same"
    return "up" if after > before else "down"


def _number(value: Any) -> float | None:
    """The number, or None for anything else, including booleans, NaN and too large integers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return None if math.isnan(value) else float(value)
    except OverflowError:
        return None
