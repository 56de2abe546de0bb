"""Do proposals do what the reasons given for them say? A reason's claims against the change that was proposed."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from analysis.present.render import number_text
from analysis.present.table import INTERVAL, Column, Findings, Table, frame_of
from analysis.runs.claims import Direction, claims
from analysis.runs.escape import spreadsheet, spreadsheet_json
from analysis.runs.load import Experiment, Run
from analysis.stats.statistics import share_interval
from harness.jsonl import read_rows

KEPT, UNCHANGED, OPPOSITE = "kept", "unchanged", "opposite"
VERDICTS = (KEPT, UNCHANGED, OPPOSITE)

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("proposals", ("proposals",), "count"),
    Column("with a reason (%)", ("with_reason",), "percent"),
    Column("with a claim (%)", ("with_claim",), "percent"),
    Column("claims", ("claims",), "count"),
    Column("judged", ("judged",), "count"),
    Column("kept (%)", (KEPT,), "percent"),
    Column(f"{INTERVAL} (%)", ("kept_lower", "kept_upper"), "percent"),
    Column("unchanged (%)", (UNCHANGED,), "percent"),
    Column("opposite (%)", (OPPOSITE,), "percent"),
    Column("kept by chance (%)", ("chance",), "percent"),
)
NOTES = (
    "Claim: a hyperparameter that the reason names in a clause with a direction (increase, lower, keep ...); the rule "
    "stands in analysis/runs/claims.py. It is judged by the change from the last configuration that was evaluated "
    "before the model was asked to what it proposed: kept, unchanged, or opposite (for a claim to keep a value: "
    "changed). A first trial, and a value that is no number, cannot be judged.",
    "With a claim: share of all proposals. Kept, unchanged, opposite: shares of the judged claims; interval: bootstrap "
    "over runs within each task. By chance: the share kept if each claim is held against the changes of the other "
    "proposals of its run; reasons that mean something are kept more often.",
)


@dataclass(frozen=True, slots=True)
class Reasoned:
    """One proposal of a method that gave a reason for any of its proposals.

    Attributes:
        run: The run it belongs to.
        index: Its trial.
        reason: As the model wrote it, or None.
        proposed: As it was proposed.
        shown: The last configuration evaluated before the model was asked; None at the start.
        claims: Hyperparameter -> direction.
        changes: Hyperparameter -> direction in which the proposal departs from ``shown``, of those that can be judged.
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
        """Hyperparameter -> what became of the claim about it, of those that can be judged."""
        judged = {name: claim for name, claim in self.claims.items() if name in self.changes}
        return {name: verdict(claim, self.changes[name]) for name, claim in judged.items()}


def read_reasons(experiment: Experiment) -> dict[str, list[Reasoned]]:
    """Method -> all proposals of its runs, of the methods that gave any reason."""
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


def consistency_findings(reasons: dict[str, list[Reasoned]]) -> Findings:
    """The table, and a sentence for each method whose claims can be judged; nothing where no reason was given."""
    if not reasons:
        return Findings()
    rows = [_row(method, found) for method, found in reasons.items()]
    said = tuple(
        f"{row['method']}: {_percent(row[KEPT])} of the {row['judged']} directions that its reasons name are those of "
        f"its proposals, {_percent(row['chance'])} by chance."
        for row in rows
        if row["judged"]
    )
    title = "Do proposals do what their reasons say?"
    return Findings((Table("consistency", title, frame_of(rows, COLUMNS), COLUMNS, NOTES),), said)


def verdict(claim: Direction, change: Direction) -> str:
    """What a change makes of a claim."""
    if claim == change:
        return KEPT
    return UNCHANGED if change == "same" else OPPOSITE


def kept_by_chance(found: Iterable[Reasoned]) -> float | None:
    """Mean share kept of the judged claims, each held against the changes of its run's other proposals."""
    by_run: dict[str, list[Reasoned]] = {}
    for each in found:
        by_run.setdefault(each.run.id, []).append(each)
    shares = []
    for proposals in by_run.values():
        for each in proposals:
            for name in each.verdicts:
                others = [other.changes[name] for other in proposals if other is not each and name in other.changes]
                if others:
                    shares.append(others.count(each.claims[name]) / len(others))
    return sum(shares) / len(shares) if shares else None


def write_reasons(file: IO[str], reasons: dict[str, list[Reasoned]]) -> None:
    """Every reason for programs. What a model wrote is JSON in ASCII: one line, and no spreadsheet formula."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["method", "label", "task", "seed", "trial", "reason", "claims", "verdicts", "shown", "proposed"])
    for method, found in reasons.items():
        for each in found:
            if each.reason is not None:
                texts = (each.reason, each.claims, each.verdicts, each.shown, each.proposed)
                where = (each.run.folder_method, method, each.run.task, each.run.seed, each.index)
                writer.writerow([*map(spreadsheet, where), *map(spreadsheet_json, texts)])


def _row(method: str, found: Sequence[Reasoned]) -> dict[str, object]:
    verdicts = [verdict for each in found for verdict in each.verdicts.values()]
    shares = {kind: verdicts.count(kind) / len(verdicts) if verdicts else None for kind in VERDICTS}
    row: dict[str, object] = {
        "method": method,
        "proposals": len(found),
        "with_reason": sum(each.reason is not None for each in found) / len(found),
        "with_claim": sum(bool(each.claims) for each in found) / len(found),
        "claims": sum(len(each.claims) for each in found),
        "judged": len(verdicts),
        "chance": kept_by_chance(found),
        **shares,
    }
    interval = _kept_interval(found)
    return row if interval is None else row | {"kept_lower": interval[0], "kept_upper": interval[1]}


def _kept_interval(found: Iterable[Reasoned]) -> tuple[float, float] | None:
    tasks: dict[str, dict[str, list[str]]] = {}
    for each in found:
        tasks.setdefault(each.run.task, {}).setdefault(each.run.id, []).extend(each.verdicts.values())
    kept = [[verdicts.count(KEPT) for verdicts in runs.values()] for runs in tasks.values()]
    judged = [[len(verdicts) for verdicts in runs.values()] for runs in tasks.values()]
    return share_interval(kept, judged, np.random.default_rng(0))


def _of_run(run: Run, rows: list[dict[str, Any]], names: tuple[str, ...]) -> Iterable[Reasoned]:
    """The proposals of one run; those of one batch are compared with what was shown before it was asked for."""
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
    """What was proposed; of a valid proposal what was executed, where a level named by its short name is that level."""
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
    """The number, or None for anything else: words, booleans, NaN, an integer beyond what a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return None if math.isnan(value) else float(value)
    except OverflowError:
        return None


def _percent(share: object) -> str:
    return f"{number_text(100 * share)} %" if isinstance(share, float) else "not measured"
