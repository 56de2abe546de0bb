"""Trials below the highest fidelity: numbers and best values; no result depends on them."""

from __future__ import annotations

import numpy as np
import polars as pl

from analysis.present.cells import Cells
from analysis.present.table import Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import compare_task
from analysis.runs.load import Experiment
from analysis.runs.task import Task
from analysis.stats.material import Material
from harness.visible import listed

COLUMNS = (
    Column("task", ("task",), "text"),
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("runs without highest", ("without",), "count"),
    Column("evaluated at highest", ("highest",), "count"),
    Column("evaluated below", ("below",), "count"),
    Column("levels below", ("levels",), "text"),
    Column("objective", ("objective",), "text"),
    Column("best at highest", ("best",)),
    Column("best below", ("best_below",)),
)
_MOST_LEVELS = 4


def fidelity_findings(of: Material) -> Findings:
    """The table, if there are trials below the highest fidelity; a sentence per method that never reached it."""
    experiment, comparison = of.experiment, of.comparison
    if not experiment.trials["below"].any():
        return Findings()
    rows = [
        _row(experiment, task, method)
        for task in experiment.tasks.values()
        for method in compare_task(experiment, comparison, task).methods
    ]
    said = [
        f"{row['method']} on {row['task']}: no trial at the highest fidelity in {row['without']} of {row['runs']} "
        "runs, which therefore have no comparable result; use a larger budget."
        for row in rows
        if row["without"]
    ]
    notes = (
        "Successful evaluations of all runs of a method; only those at the highest fidelity count for "
        "incumbents, regret and ranks. Best: best value of all runs, as reported; values at different fidelities are "
        "not comparable. In a budget of proposals or evaluations, a low-fidelity trial counts as a full one.",
    )
    absent = {(number, "levels") for number, row in enumerate(rows) if not row["below"]}
    absent |= {(number, "best_below") for number, row in enumerate(rows) if not row["below"]}
    title = "Trials by fidelity"
    table = Table("fidelities", title, frame_of(rows, COLUMNS), COLUMNS, notes, frozenset(absent))
    return Findings((table,), tuple(said))


def _row(experiment: Experiment, task: Task, method: str) -> Cells:
    trials = experiment.trials.filter((pl.col("task") == task.name) & (pl.col("method") == method))
    highest, below = trials["loss"].drop_nulls(), trials.filter("below")
    runs = trials.group_by("run").agg(pl.col("loss").is_not_null().any().alias("any"), pl.col("below").any())
    levels = sorted(set(below["fidelity"].drop_nulls().to_list()), key=_number)
    return {
        "task": task.name,
        "method": method,
        "runs": runs.height,
        "without": int((~runs["any"] & runs["below"]).sum()),
        "highest": len(highest),
        "below": below.height,
        "levels": listed(levels, _MOST_LEVELS),
        "objective": f"{task.objective} ({task.direction})",
        "best": _best(task, highest),
        "best_below": _best(task, below["loss_below"]),
    }


def _best(task: Task, losses: pl.Series) -> float | None:
    return None if losses.is_empty() else task.value(float(np.min(losses.to_numpy())))


def _number(level: str) -> tuple[float, str]:
    """Sort key: the number after the first name, so that steps=9 is before steps=27."""
    number = level.partition("=")[2].partition(",")[0]
    return float(number or "inf"), level


TABLE = Entry(70, fidelity_findings)
