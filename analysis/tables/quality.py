"""Quality of the incumbents over all tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.present.cells import Cells, metric_cells
from analysis.present.table import INTERVAL, MARK, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison, compare_blocks
from analysis.runs.labels import EXACT
from analysis.runs.load import Experiment
from analysis.stats.material import Material
from analysis.stats.statistics import interquartile_mean, mean, mean_ranks
from analysis.tables.authorship import (
    OF_THE_MODEL,
    authorship_cells,
    authorship_columns,
    authorship_notes,
    little_by_the_model,
    with_model,
)
from analysis.tables.hallucination import hallucination_table
from analysis.tables.headline import headlines
from harness.visible import listed

MOST_BEST_COLUMNS = 4
_REGRET = "0 is the optimum, 1 the expectation of one random configuration"
CHARGED = (
    "have no best value and rank last; their regret is that of the task's worst value if another run of the method has "
    "a result; otherwise its regret is not measured."
)
_WITHOUT = Column("without valid", ("runs_without_valid",), "count")
_ONLY_BELOW = Column("none at highest fidelity", ("runs_only_below",), "count")
"""Shown if there is a run with evaluations, but none at the highest fidelity."""


def quality_findings(of: Material) -> Findings:
    """The tables, and the headline of the report."""
    tables = quality_tables(of.experiment, of.comparison)
    hallucination = hallucination_table(of.experiment)
    said = (sentence for table in tables for sentence in headlines(of.experiment, table, hallucination))
    return Findings(tables, tuple(dict.fromkeys(said)))


def quality_tables(experiment: Experiment, comparison: Comparison) -> tuple[Table, ...]:
    """The quality table; if no task was run by every method, one per group of tasks that the same methods ran."""
    blocks = compare_blocks(experiment, comparison)
    if len(blocks) == 1:
        return (quality_table(experiment, blocks[0]),)
    tables = []
    for number, block in enumerate(blocks, start=1):
        tasks = listed([task.name for task in block.tasks])
        table = quality_table(experiment, block)
        note = f"No task was run by every method: one of {len(blocks)} tables, for the methods that ran {tasks}."
        name = table.name if number == 1 else f"{table.name}_{number}"
        tables.append(replace(table, name=name, title=f"{table.title}, {tasks}", notes=(note, *table.notes)))
    return tuple(tables)


def quality_table(experiment: Experiment, comparison: Comparison) -> Table:
    """Final normalized regret and rank over the tasks that every method ran: one row per method, exact curve last."""
    best = comparison.tasks if len(comparison.tasks) <= MOST_BEST_COLUMNS else ()
    columns = (
        Column("method", ("method",), "text"),
        Column("runs", ("runs",), "count"),
        *counts_of((comparison,)),
        *authorship_columns(experiment),
        Column("mean regret", ("regret_mean",)),
        Column(INTERVAL, ("regret_mean_lower", "regret_mean_upper")),
        Column("IQM regret", ("regret_iqm",)),
        Column(INTERVAL, ("regret_iqm_lower", "regret_iqm_upper")),
        Column("mean rank", ("rank_mean",)),
        *(Column(f"best {task.objective}, {task.name}", (f"best.{task.name}",)) for task in best),
    )
    rows: list[Cells] = [{"method": name} for name in comparison.methods]
    if comparison.seeds:
        rows = [row | authorship_cells(experiment, comparison, str(row["method"])) for row in method_rows(comparison)]
    little = little_by_the_model(experiment, comparison) if comparison.seeds else {}
    exact = exact_row(comparison) if comparison.seeds else None
    expected = [] if exact is None else [len(rows)]
    notes = [*_regret_notes(comparison), *authorship_notes(experiment, little, MARK), *comparison.notes]
    rows += [] if exact is None else [exact]
    table = table_of("quality", "Quality: final normalized regret", columns, rows, expected, notes)
    models = with_model(experiment)
    shares = {key for column in OF_THE_MODEL for key in column.keys}
    without = {(number, key) for number, row in enumerate(rows) for key in shares if row["method"] not in models}
    marked = frozenset(number for number, row in enumerate(rows) if row["method"] in little)
    return replace(table, inapplicable=table.inapplicable | without, marked=marked)


def counts_of(blocks: Sequence[Comparison]) -> tuple[Column, ...]:
    """The columns that count runs without any result."""
    below = any(set(block.runs(method)) & block.only_below for block in blocks for method in block.methods)
    return (_WITHOUT, _ONLY_BELOW) if below else (_WITHOUT,)


def method_rows(block: Comparison, with_iqm: bool = True) -> list[Cells]:
    """One row per method: regret, rank, and the best value of each task as reported."""
    every = np.stack([block.final_losses(method) for method in block.methods])
    ranks = mean_ranks(every)
    rows: list[Cells] = []
    for method, finals, rank in zip(block.methods, every, ranks, strict=True):
        without = set(block.without_loss(method))
        row: Cells = {"method": method, "runs": finals.size}
        row["rank_mean"] = None if np.isnan(every).all() else float(rank)
        row["runs_without_valid"] = len(without - block.only_below)
        row["runs_only_below"] = len(without & block.only_below)
        if block.regret_tasks:
            row |= metric_cells("regret_mean", mean, block.final_regrets(method))
        if block.regret_tasks and with_iqm:
            row |= metric_cells("regret_iqm", interquartile_mean, block.final_regrets(method))
        for task, losses in zip(block.tasks, finals.T, strict=True):
            row[f"best.{task.name}"] = _number(task.value(float(losses.mean())))
        rows.append(row)
    return rows


def exact_row(block: Comparison) -> Cells | None:
    """Exact random search at the budget; null if a curve is shorter or unknown."""
    cells: Cells = {"method": EXACT}
    regrets = []
    for task in block.tasks:
        evaluations = block.random_evaluations(task)
        curve = task.random_curve[: evaluations or 0]
        known = evaluations is not None and len(curve) == evaluations
        cells[f"best.{task.name}"] = task.value(curve[-1]) if known else None
        if task.regret_known:
            regrets.append(float(task.random_regret[len(curve) - 1]) if known else float("nan"))
    if not any(task.random_curve for task in block.tasks):
        return None
    cells["regret_mean"] = _number(float(np.mean(regrets))) if regrets else None
    return cells


def _regret_notes(block: Comparison) -> list[str]:
    if not block.seeds:
        return []
    known, every = block.regret_tasks, block.tasks
    notes = [f"After {_spent_text(block)}, invalid ones included; regret: {_REGRET}; lower is better."]
    if any(len(task.objectives) > 1 for task in every):
        notes.append("With several objectives this is the first one; the table of Pareto fronts covers all.")
    if len(known) < len(every):
        rest = f"regret is over {len(known)} of {len(every)} tasks" if known else "see the best values as reported"
        if missing := ", ".join(task.name for task in every if task not in known and not task.breaches):
            notes.append(f"The optimum or the random-search curve is unknown for {missing}; {rest}.")
        notes += [breach for task in every for breach in task.breaches]
    notes.append("Intervals: stratified bootstrap over seeds. Mean rank: over seeds and tasks, ties averaged.")
    return notes + _charge_notes(block)


def _spent_text(block: Comparison) -> str:
    """The number of proposals and evaluations of the compared runs."""
    proposals = sorted({len(block.curves[run[:2]][run[2]]) for method in block.methods for run in block.runs(method)})
    text = f"{' to '.join(dict.fromkeys([str(proposals[0]), str(proposals[-1])]))} proposals"
    evaluations = {block.evaluations[run] for method in block.methods for run in block.runs(method)}
    same = len(proposals) > 1 and len(evaluations) == 1
    return f"{evaluations.pop()} evaluations ({text})" if same else text


def _charge_notes(block: Comparison) -> list[str]:
    """A note on runs without any result: their number, and the value they count with."""
    without = {method: len(block.without_loss(method)) for method in block.methods}
    every = len(block.runs(block.methods[0]))
    listed = ", ".join(f"{method}: {count} of {every}" for method, count in without.items() if count)
    return [f"Runs without any result at the highest fidelity ({listed}) {CHARGED}"] if listed else []


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def table_of(
    name: str, title: str, columns: tuple[Column, ...], rows: list[Cells], expected: list[int], notes: list[str]
) -> Table:
    """Build a table. Rows numbered in ``expected`` are expectations, whose missing cells have no meaning."""
    first = {column.keys[0] for column in columns}
    absent = frozenset((number, key) for number in expected for key in first - set(rows[number]))
    return Table(name, title, frame_of(rows, columns), columns, tuple(notes), absent)


TABLE = Entry(10, quality_findings)
