"""Quality on tasks with several objectives: the table ``pareto`` and its headline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from analysis.present.cells import Cells, metric_cells
from analysis.present.render import with_interval
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison
from analysis.stats.fronts import Fronts, fronts
from analysis.stats.material import Material
from analysis.stats.pareto import REFERENCE
from analysis.stats.statistics import mean

COLUMNS = (
    Column("task", ("task",), "text"),
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("without", ("without",), "count"),
    Column("mean hypervolume", ("hypervolume",)),
    Column(INTERVAL, ("hypervolume_lower", "hypervolume_upper")),
    Column("share of joint front (%)", ("share",), "percent"),
    Column("half-way", ("hypervolume_half",)),
    Column("front points", ("front_points",)),
)


def pareto_findings(of: Material) -> Findings:
    """The table and its sentence, if a task has several objectives."""
    experiment, comparison = of.experiment, of.comparison
    found = fronts(experiment, comparison)
    if not found:
        return Findings()
    said = pareto_headline(found, comparison, experiment.methods_of("random_search"))
    return Findings((pareto_table(found),), said)


def pareto_table(found: Iterable[Fronts]) -> Table:
    """One row per task and method; larger hypervolumes are better."""
    rows: list[Cells] = []
    notes = [
        "Hypervolume of the configurations evaluated at the highest fidelity. Each objective is scaled to 0 at its "
        f"best and 1 at its worst value; the reference point is {REFERENCE:g} in each, so the maximum with two "
        f"objectives is {REFERENCE**2:.3g}. Larger is better. A run without any outcome at the highest fidelity "
        "(column without) has 0; a method with only such runs is not measured.",
        "Share of joint front: the mean relative to the hypervolume of the joint results of all runs of the task; "
        "half-way: mean after half of the proposals; front points: mean number of distinct nondominated outcomes per "
        "run. Intervals: bootstrap over seeds.",
    ]
    for of_task in found:
        goals = ", ".join(f"{objective.name} ({objective.direction})" for objective in of_task.task.objectives)
        notes.append(f"{of_task.task.name}: {goals}.")
        if of_task.observed:
            names = ", ".join(of_task.observed)
            notes.append(f"{of_task.task.name}: best and worst {names} are the observed values of all runs.")
        notes += [*of_task.block.notes, *of_task.task.breaches]
        best = of_task.of_all_runs()
        rows += [_row(of_task, method, best) for method in of_task.block.methods]
    title = "Pareto fronts: final hypervolume"
    return Table("pareto", title, frame_of(rows, COLUMNS), COLUMNS, tuple(notes))


def _row(of_task: Fronts, method: str, best: float) -> Cells:
    row: Cells = {"task": of_task.task.name, "method": method}
    if not of_task.block.seeds:
        return row
    curves = of_task.curves(method)
    row |= metric_cells("hypervolume", mean, curves[:, -1:])
    row |= {"runs": len(curves), "without": of_task.without(method)}
    if "hypervolume" in row:
        row["share"] = float(curves[:, -1].mean()) / best if best > 0 else None
        row["hypervolume_half"] = float(curves[:, math.ceil(curves.shape[1] / 2) - 1].mean())
    row["front_points"] = float(np.mean([len(points) for points in of_task.of(method)]))
    return row


def pareto_headline(
    found: Iterable[Fronts], comparison: Comparison, random_searches: Sequence[str] = ("random_search",)
) -> tuple[str, ...]:
    """A sentence on hypervolume versus random search, over the tasks that every method ran; none without it."""
    shared = [of_task for of_task in found if of_task.task in comparison.tasks]
    random = next((method for method in comparison.methods if method in random_searches), None)
    others = [method for method in comparison.methods if method != random]
    if not shared or not comparison.seeds or not others or random is None:
        return ()
    results = {method: _result(shared, method, comparison.seeds) for method in comparison.methods}
    place = shared[0].task.name if len(shared) == 1 else f"mean of {len(shared)} tasks"
    rivals = ", ".join(f"{results[method]} for {method}" for method in others if results[method])
    if not rivals or not results[random]:
        return ()
    return (f"Mean final hypervolume ({place}): {rivals}, versus {results[random]} for {random}.",)


def _result(shared: list[Fronts], method: str, seeds: tuple[int, ...]) -> str | None:
    finals = np.stack([of_task.curves(method, seeds)[:, -1] for of_task in shared], axis=1)
    cells = metric_cells("mean", mean, finals)
    return with_interval(cells, "mean") if cells else None


TABLE = Entry(80, pareto_findings)
