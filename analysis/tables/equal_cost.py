"""Regret at equal cost: the regret of every method at the total cost of the cheapest run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.present.cells import Cells, metric_cells
from analysis.present.render import number_text
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison
from analysis.stats.axes import Axis, at_cost, cost_of, scores_at
from analysis.stats.material import Material
from analysis.stats.statistics import mean

Floats = npt.NDArray[np.float64]

ALL_SPENT = "All spent: at the end of each run, and budgets differ; the table of quality compares at a common one."
_COMPARED = ("seconds", "tokens")


def equal_cost_findings(of: Material) -> Findings:
    """The table, if regret is known and at least two methods have a cost."""
    comparison = of.comparison
    if not comparison.seeds or not comparison.regret_tasks:
        return Findings()
    ends = {}
    for axis in of.axes:
        if axis.name in _COMPARED and (end := common_end(comparison, axis)) is not None:
            ends[axis.name] = (axis, end)
    if not ends:
        return Findings()
    columns = [Column("method", ("method",), "text"), Column("runs", ("runs",), "count")]
    columns.append(Column("mean regret, all spent", ("regret",)))
    for name in ends:
        columns += [
            Column(f"at equal {name}", (name,)),
            Column(INTERVAL, (f"{name}_lower", f"{name}_upper")),
        ]
    rows = [_row(comparison, method, ends) for method in comparison.methods]
    notes = ["Mean normalized regret at the smallest total cost of the compared runs with a cost, by task:"]
    for name, (_, end) in ends.items():
        pairs = zip(comparison.regret_tasks, end, strict=True)
        listed = ", ".join(f"{number_text(cost)} on {task.name}" for task, cost in pairs)
        notes.append(f"{name}: {listed}.")
    notes.append(
        "A run without a valid trial within this cost counts with the task's worst value, a run without cost with "
        "its final value; costs as in the figures."
    )
    for name, (axis, end) in ends.items():
        counts = {method: _without(comparison, axis, method, end) for method in comparison.methods}
        if listed := ", ".join(f"{method}: {count}" for method, count in counts.items() if count):
            notes.append(f"Runs without a valid trial at equal {name}: {listed}; not measured if no run has one.")
    shown = tuple(columns)
    return Findings((Table("equal_cost", "Regret at equal cost", frame_of(rows, shown), shown, tuple(notes)),))


def common_end(block: Comparison, axis: Axis) -> tuple[float, ...] | None:
    """The smallest total cost of a run on each task, over methods with a cost; None with fewer than two."""
    tasks = tuple(task.name for task in block.regret_tasks)
    found = [cost_of(axis, method, tasks, block.seeds) for method in block.methods]
    finals = [np.array([[cost[-1] for cost in of_task] for of_task in costs]) for costs in found if costs is not None]
    paid = [ends for ends in finals if (ends > 0).all()]
    return tuple(np.stack(paid).min(axis=(0, 2)).tolist()) if len(paid) > 1 else None


def _without(block: Comparison, axis: Axis, method: str, end: tuple[float, ...]) -> int:
    """Number of a method's runs without a valid trial within this cost."""
    costs = cost_of(axis, method, tuple(task.name for task in block.regret_tasks), block.seeds) or ()
    return sum(
        bool(np.isnan(at_cost(block.curves[method, task.name][seed], cost, np.nan, np.array([there]))).any())
        for task, of_task, there in zip(block.regret_tasks, costs, end, strict=False)
        for seed, cost in zip(block.seeds, of_task, strict=True)
    )


def _row(block: Comparison, method: str, ends: dict[str, tuple[Axis, tuple[float, ...]]]) -> Cells:
    final = block.final_regrets(method)
    row: Cells = {"method": method, "runs": final.size, **metric_cells("regret", mean, final)}
    tasks = tuple(task.name for task in block.regret_tasks)
    for name, (axis, end) in ends.items():
        costs = cost_of(axis, method, tasks, block.seeds)
        if costs is not None:
            at_ends = scores_at(block, method, costs, np.array(end))
            row |= metric_cells(name, mean, np.diagonal(at_ends, axis1=1, axis2=2))
    return row


TABLE = Entry(220, equal_cost_findings, whole=ALL_SPENT)
