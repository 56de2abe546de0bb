"""Which tables and figures there are, and over which trials each of them is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from analysis.figures.anytime import anytime_figure
from analysis.figures.anytime_cost import cost_sketches
from analysis.figures.attainment import attainment_sketches
from analysis.figures.fault_figure import CAPTION, fault_figure
from analysis.figures.figures import Sketch, draw
from analysis.figures.ladder_figure import ladder_sketches
from analysis.figures.reasons_figure import reason_sketches
from analysis.present.table import Findings, Table
from analysis.runs.comparison import Comparison, compare
from analysis.runs.load import Experiment
from analysis.stats.axes import Axis, cost_axes
from analysis.stats.prices import Prices
from analysis.tables.budgets import at_common_budget
from analysis.tables.comparability import comparability_findings
from analysis.tables.cost import cost_table
from analysis.tables.decodings import decoding_findings
from analysis.tables.equal_cost import equal_cost_findings
from analysis.tables.failures import failure_findings
from analysis.tables.fidelities import fidelity_findings
from analysis.tables.hallucination import hallucination_table
from analysis.tables.ladder import ladder_findings
from analysis.tables.ladder_short import short_ladder_findings
from analysis.tables.leak import generalization_findings
from analysis.tables.memory import memory_findings
from analysis.tables.money import money_findings
from analysis.tables.pareto_table import pareto_findings
from analysis.tables.prompts import prompt_findings
from analysis.tables.quality import quality_by_task_table, quality_tables
from analysis.tables.reasons import Reasoned, consistency_findings, read_reasons
from analysis.tables.recitation import recitation_findings
from analysis.tables.repairs import repair_findings
from analysis.tables.snapped import snapped_findings
from analysis.tables.strays import stray_findings
from analysis.tables.sweeps import sweep_findings
from analysis.tables.token_limits import limit_findings

_FIGURES = (
    Sketch(
        "anytime",
        anytime_figure,
        "Incumbent after each proposal, invalid ones included: mean over seeds, 95 % bootstrap band. Regret 0 is the "
        "optimum, 1 the expectation of one random configuration. Before its first valid trial a run stands at the "
        "task's worst value; one that ended before others of its method keeps its last incumbent; a line that leaves a "
        "logarithmic panel at the bottom has reached the optimum.",
    ),
    Sketch("faults", fault_figure, CAPTION, whole=False),
)
_FURTHER_FIGURES: tuple[Callable[[Experiment, Comparison], tuple[Sketch, ...]], ...] = (
    ladder_sketches,
    attainment_sketches,
)
"""Figures that only some experiments have, in the order of the report."""

_COMPARED: tuple[Callable[[Experiment, Comparison], Findings], ...] = (
    short_ladder_findings,
    ladder_findings,
    fidelity_findings,
    pareto_findings,
    generalization_findings,
    snapped_findings,
    stray_findings,
    repair_findings,
    decoding_findings,
    limit_findings,
    prompt_findings,
    memory_findings,
    recitation_findings,
)
"""Tables that only some experiments have, of the trials within the common budget, in the order of the report."""

_WHOLE: tuple[Callable[[Experiment, Comparison], Findings], ...] = (failure_findings, sweep_findings)
"""Those of whole runs."""

OVER_WHOLE_RUNS = "Over whole runs, whose budgets differ."
ALL_SPENT = "All spent: at the end of each run, and budgets differ; the table of quality compares at a common one."


@dataclass(frozen=True, slots=True)
class Material:
    """What tables and figures are made of, each read or computed once.

    Attributes:
        experiment: All complete runs.
        compared: The same without the trials beyond the budget that all runs of a task had.
        cut: What that left out, in words; empty where budgets are the same.
        comparison: Those of ``compared`` that can be compared.
        curves: Those of ``experiment`` that can be.
        prices: The price table.
        axes: The costs that regret can be drawn against.
        reasons: Method -> its proposals, of the methods that gave reasons.
    """

    experiment: Experiment
    compared: Experiment
    cut: tuple[str, ...]
    comparison: Comparison
    curves: Comparison
    prices: Prices
    axes: tuple[Axis, ...]
    reasons: dict[str, list[Reasoned]]


def material(experiment: Experiment, prices: Prices) -> Material:
    """All of it, from the runs.

    Raises:
        RunError: A log is damaged.
    """
    compared, cut = at_common_budget(experiment)
    axes, reasons = cost_axes(experiment, prices), read_reasons(experiment)
    comparison, curves = compare(compared), compare(experiment)
    return Material(experiment, compared, cut, comparison, curves, prices, axes, reasons)


def main_tables(of: Material) -> tuple[Table, ...]:
    """Those of every experiment: quality (in several tables where methods ran other tasks), hallucinations, cost."""
    uneven = _uneven(of.experiment)
    hallucination, cost = hallucination_table(of.compared), cost_table(of.experiment)
    return (
        *(_with_notes(quality, of.cut) for quality in quality_tables(of.compared, of.comparison)),
        _with_notes(hallucination, (*of.cut, *uneven)),
        _with_notes(cost, (*_whole(of), *uneven)),
    )


def further_findings(of: Material) -> Findings:
    """The tables that only some experiments have, and what they say."""
    found = [comparability_findings(of.experiment)]
    found += [_noted(findings(of.compared, of.comparison), of.cut) for findings in _COMPARED]
    whole = [findings(of.experiment, of.comparison) for findings in _WHOLE]
    whole += [money_findings(of.experiment, of.prices), consistency_findings(of.reasons)]
    found += [_noted(findings, _whole(of)) for findings in whole]
    found.append(_noted(equal_cost_findings(of.curves, of.axes), (ALL_SPENT,) if of.cut else ()))
    tables = tuple(table for each in found for table in each.tables)
    return Findings(tables, tuple(said for each in found for said in each.said))


def last_table(of: Material) -> Table:
    """Quality by task, which closes the report's tables and is not printed."""
    return _with_notes(quality_by_task_table(of.compared, of.comparison), of.cut)


def sketches(of: Material) -> tuple[Sketch, ...]:
    """Every figure, those that only some experiments have included."""
    further = [sketch for each in _FURTHER_FIGURES for sketch in each(of.experiment, of.curves)]
    return (*_FIGURES, *further, *cost_sketches(of.axes), *reason_sketches(of.reasons))


def drawn(of: Material, sketch: Sketch) -> tuple[str, bytes]:
    """A figure as SVG and PNG, over the trials that it shows."""
    runs, block = (of.experiment, of.curves) if sketch.whole else (of.compared, of.comparison)
    return draw(sketch.figure_of, sketch.name, runs, block)


def _whole(of: Material) -> tuple[str, ...]:
    return (OVER_WHOLE_RUNS,) if of.cut else ()


def _uneven(experiment: Experiment) -> tuple[str, ...]:
    """A sentence where methods were not run on the same tasks with the same seeds."""
    runs: dict[str, set[tuple[str, int]]] = {}
    for run in experiment.runs:
        runs.setdefault(run.method, set()).add((run.task, run.seed))
    every = len(set.union(*runs.values()))
    if all(len(own) == every for own in runs.values()):
        return ()
    short = ", ".join(f"{method}: {len(own)}" for method, own in runs.items() if len(own) < every)
    return (f"Each row is over the method's own runs, which are not on the same tasks and seeds ({short} of {every}).",)


def _noted(found: Findings, notes: tuple[str, ...]) -> Findings:
    return Findings(tuple(_with_notes(table, notes) for table in found.tables), found.said)


def _with_notes(table: Table, notes: tuple[str, ...]) -> Table:
    return replace(table, notes=(*table.notes, *notes))
