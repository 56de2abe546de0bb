"""Trials below the highest fidelity: how many there were, and what they found; no result rests on them."""

from __future__ import annotations

import numpy as np
import polars as pl

from analysis.present.cells import Cells
from analysis.present.table import Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import compare_task
from analysis.runs.load import Experiment
from analysis.runs.task import Task
from analysis.stats.material import Material

COLUMNS = (
    Column("task", ("task",), "text"),
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("without the highest", ("without",), "count"),
    Column("evaluated at the highest", ("highest",), "count"),
    Column("below it", ("below",), "count"),
    Column("levels below", ("levels",), "text"),
    Column("objective", ("objective",), "text"),
    Column("best at the highest", ("best",)),
    Column("best below it", ("best_below",)),
)
_MOST_LEVELS = 4


def fidelity_findings(of: Material) -> Findings:
    """The table, where anything was evaluated below the highest fidelity; who never got there in a sentence."""
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
        "runs, so these found nothing that can be compared; a larger budget would reach it."
        for row in rows
        if row["without"]
    ]
    notes = (
        "Evaluations that succeeded, over all of a method's runs; only those at the highest fidelity count for "
        "incumbents, regret and ranks. Best: of all runs, as reported; one below the highest fidelity is another "
        "quantity and cannot be compared with one at it. In a budget of proposals or evaluations a cheap trial counts "
        "in full.",
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
    more = f" and {len(levels) - _MOST_LEVELS} more" if len(levels) > _MOST_LEVELS else ""
    return {
        "task": task.name,
        "method": method,
        "runs": runs.height,
        "without": int((~runs["any"] & runs["below"]).sum()),
        "highest": len(highest),
        "below": below.height,
        "levels": ", ".join(levels[:_MOST_LEVELS]) + more,
        "objective": f"{task.objective} ({task.direction})",
        "best": _best(task, highest),
        "best_below": _best(task, below["loss_below"]),
    }


def _best(task: Task, losses: pl.Series) -> float | None:
    return None if losses.is_empty() else task.value(float(np.min(losses.to_numpy())))


def _number(level: str) -> tuple[float, str]:
    """By the number after the first name: steps=9 before steps=27."""
    number = level.partition("=")[2].partition(",")[0]
    return float(number or "inf"), level


TABLE = Entry(70, fidelity_findings)
