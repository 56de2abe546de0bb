"""Consistency of proposals and their reasons: the claims of a reason versus the proposed change."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import IO

import numpy as np

from analysis.present.render import number_text
from analysis.present.table import INTERVAL, OVER_WHOLE_RUNS, Column, Entry, Findings, Table, frame_of
from analysis.runs.escape import spreadsheet, spreadsheet_json
from analysis.runs.reasoned import KEPT, OPPOSITE, UNCHANGED, VERDICTS, Reasoned
from analysis.stats.material import Material
from analysis.stats.statistics import share_interval

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
    "Claim: a hyperparameter that the reason names in a clause with a direction (increase, lower, keep ...); see "
    "analysis/runs/claims.py for the rules. It is judged by the change between the last configuration evaluated before "
    "the ask and the proposal: kept, unchanged, or opposite (for a claim to keep a value: changed). First trials and "
    "values that are not numbers cannot be judged.",
    "With a claim: share of all proposals. Kept, unchanged, opposite: shares of the judged claims; interval: bootstrap "
    "over runs within each task. By chance: the share kept if each claim is compared with the changes of the other "
    "proposals of its run; meaningful reasons are kept more often.",
)


def consistency_findings(of: Material) -> Findings:
    """The table, and one sentence per method with judged claims; empty without reasons."""
    rows = [_row(method, found) for method, found in of.reasons.items()]
    if not rows:
        return Findings()
    said = tuple(
        f"{row['method']}: {_percent(row[KEPT])} of the {row['judged']} directions that its reasons name agree with "
        f"its proposals, versus {_percent(row['chance'])} by chance."
        for row in rows
        if row["judged"]
    )
    title = "Consistency of proposals and reasons"
    return Findings((Table("consistency", title, frame_of(rows, COLUMNS), COLUMNS, NOTES),), said)


def kept_by_chance(found: Iterable[Reasoned]) -> float | None:
    """Mean share of the judged claims that are kept by the other proposals of their run."""
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
    """Write every reason as CSV for programs. Model output is ASCII JSON: one line, no spreadsheet formula."""
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


def _percent(share: object) -> str:
    return f"{number_text(100 * share)} %" if isinstance(share, float) else "not measured"


TABLE = Entry(210, consistency_findings, whole=OVER_WHOLE_RUNS)
