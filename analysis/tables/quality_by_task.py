"""Quality of the incumbents by task."""

from __future__ import annotations

from analysis.present.cells import Cells, metric_cells
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table
from analysis.runs.comparison import Comparison, compare_task
from analysis.runs.load import Experiment
from analysis.stats.statistics import mean
from analysis.tables.quality import CHARGED, counts_of, exact_row, method_rows, table_of


def quality_by_task_table(experiment: Experiment, comparison: Comparison) -> Table:
    """Regret, rank and best value as reported: one row per task and method."""
    blocks = [compare_task(experiment, comparison, task) for task in experiment.tasks.values()]
    columns = (
        Column("task", ("task",), "text"),
        Column("method", ("method",), "text"),
        Column("runs", ("runs",), "count"),
        *counts_of(blocks),
        Column("objective", ("objective",), "text"),
        Column("mean best value", ("best_mean",)),
        Column(INTERVAL, ("best_mean_lower", "best_mean_upper")),
        Column("mean regret", ("regret_mean",)),
        Column(INTERVAL, ("regret_mean_lower", "regret_mean_upper")),
        Column("mean rank", ("rank_mean",)),
    )
    rows: list[Cells] = []
    exact: list[int] = []
    notes = ["Regret, intervals and ranks as in the quality table; seeds are those that all methods ran on the task."]
    if any(block.without_loss(method) for block in blocks for method in block.methods):
        notes.append(f"Runs without any result at the highest fidelity {CHARGED}")
    for task, block in zip(experiment.tasks.values(), blocks, strict=True):
        notes += [*block.notes, *task.breaches]
        names: Cells = {"task": task.name, "objective": f"{task.objective} ({task.direction})"}
        if not block.seeds:
            rows += [{**names, "method": method} for method in block.methods]
            continue
        for row in method_rows(block, with_iqm=False):
            best = task.values(block.final_losses(str(row["method"])))
            rows.append({**row, **names, **metric_cells("best_mean", mean, best)})
        expected = exact_row(block)
        if expected is not None:
            exact.append(len(rows))
            rows.append({**expected, **names, "best_mean": expected[f"best.{task.name}"]})
    return table_of("quality_by_task", "Quality by task", columns, rows, exact, notes)


TABLE = Entry(1000, lambda of: Findings((quality_by_task_table(of.experiment, of.comparison),)), printed=False)
