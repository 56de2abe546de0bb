"""Generalization: validation score versus test score of the incumbents.

The incumbent is chosen by its validation score; its test score is recorded and never shown to the optimizer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.present.cells import Cells, metric_cells
from analysis.present.table import INTERVAL, Column, Table, frame_of
from analysis.runs.comparison import Comparison, compare_task
from analysis.runs.load import Experiment
from analysis.runs.regret import incumbent_trials
from analysis.runs.task import Task
from analysis.stats.statistics import mean

COLUMNS = (
    Column("task", ("task",), "text"),
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("objective", ("objective",), "text"),
    Column("mean validation", ("validation",)),
    Column("mean test", ("test",)),
    Column("gap", ("gap",)),
    Column(INTERVAL, ("gap_lower", "gap_upper")),
)


@dataclass(frozen=True, slots=True)
class Incumbent:
    """Scores of one run's best configuration by the first objective, as reported; NaN if there is none."""

    validation: float
    test: float
    gap: float
    """Amount by which validation is better than test, for either direction of the objective."""


Incumbents = dict[tuple[str, str, int], Incumbent]
"""By method, task and seed; only of tasks with test scores."""


def incumbents(experiment: Experiment) -> Incumbents:
    """The final incumbent of every run on the tasks where any test score was recorded."""
    tested = experiment.trials.group_by("task").agg(pl.col("test").is_not_null().any()).filter("test")
    names = set(tested["task"].to_list())
    best = incumbent_trials(experiment.trials)
    found = {run: (loss, test) for run, loss, test in best.select("run", "loss", "test").iter_rows()}
    return {
        (run.method, run.task, run.seed): _incumbent(experiment.tasks[run.task], *found.get(run.id, (None, None)))
        for run in experiment.runs
        if run.task in names
    }


def _incumbent(task: Task, loss: float | None, test: float | None) -> Incumbent:
    validation = np.nan if loss is None else task.value(loss)
    tested = np.nan if test is None else test
    return Incumbent(validation, tested, tested - validation if task.direction == "minimize" else validation - tested)


def generalization_table(experiment: Experiment, comparison: Comparison, found: Incumbents) -> Table:
    """One row per task and method: the incumbent's validation score, test score and gap."""
    rows: list[Cells] = []
    notes = [
        "Validation and test score of each run's incumbent, which is chosen by validation. Gap: the amount by which "
        "validation is better than test (negative: worse). Optimizers never see test scores. Not measured if a run "
        "has no valid configuration or its incumbent no test score. Intervals: bootstrap over seeds.",
    ]
    tasks = {task for _, task, _ in found}
    for task in experiment.tasks.values():
        if task.name not in tasks:
            continue
        block = compare_task(experiment, comparison, task)
        notes += block.notes
        for method in block.methods:
            row: Cells = {"task": task.name, "method": method, "objective": objective_text(task)}
            if block.seeds:
                of_runs = [found[method, task.name, seed] for seed in block.seeds]
                row["runs"] = len(of_runs)
                row |= metric_cells("validation", mean, np.array([[run.validation] for run in of_runs]))
                row |= metric_cells("test", mean, np.array([[run.test] for run in of_runs]))
                row |= metric_cells("gap", mean, np.array([[run.gap] for run in of_runs]))
            rows.append(row)
    return Table(
        "generalization", "Validation versus test", frame_of(rows, COLUMNS), COLUMNS, tuple(dict.fromkeys(notes))
    )


def objective_text(task: Task) -> str:
    """The first objective and its direction as reported."""
    return f"{task.objective} ({task.direction})"
