"""Failed evaluations: numbers and reasons."""

from __future__ import annotations

import polars as pl

from analysis.present.table import OVER_WHOLE_RUNS, Column, Entry, Findings, Table, frame_of
from analysis.runs.load import Experiment
from analysis.stats.material import Material
from harness.visible import visible

_MOST_REASONS = 3
_REASON_CHARACTERS = 100

COLUMNS = (
    Column("task", ("task",), "text"),
    Column("method", ("method",), "text"),
    Column("evaluations", ("evaluations",), "count"),
    Column("failed", ("failed",), "count"),
    Column("failed (%)", ("share",), "percent"),
    Column("most common reasons", ("reasons",), "prose"),
)


def failure_findings(of: Material) -> Findings:
    """The table, if an evaluation failed."""
    table = failures_table(of.experiment)
    return Findings() if table is None else Findings((table,))


def failures_table(experiment: Experiment) -> Table | None:
    """One row per task and method with a failed evaluation; None without any."""
    executed = experiment.trials.filter(pl.col("executed"))
    rows: list[dict[str, object]] = []
    for task in experiment.tasks:
        for method in experiment.methods:
            trials = executed.filter((pl.col("task") == task) & (pl.col("method") == method))
            failed = trials.filter("failed")
            if failed.height:
                counts = {"evaluations": trials.height, "failed": failed.height, "share": failed.height / trials.height}
                rows.append({"task": task, "method": method, **counts, "reasons": reasons(failed["error"].to_list())})
    if not rows:
        return None
    note = (
        "Valid or repaired configurations whose evaluation failed; each is charged as a proposal. "
        "Reasons are the first lines of the errors, with their counts."
    )
    return Table("failures", "Failed evaluations", frame_of(rows, COLUMNS), COLUMNS, (note,))


def reasons(errors: list[str]) -> str:
    """The most common first lines of the errors with their counts, as plain text, because errors can quote data."""
    counts: dict[str, int] = {}
    for error in errors:
        line = visible(next(iter(error.strip().splitlines()), "") or "no reason given")
        shown = line if len(line) <= _REASON_CHARACTERS else f"{line[:_REASON_CHARACTERS]}..."
        counts[shown] = counts.get(shown, 0) + 1
    common = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    listed = [f"{reason} ({count})" for reason, count in common[:_MOST_REASONS]]
    others = sum(count for _, count in common[_MOST_REASONS:])
    return "; ".join([*listed, f"others ({others})"] if others else listed)


TABLE = Entry(180, failure_findings, whole=OVER_WHOLE_RUNS)
