"""Which tables and figures there are, beside those of every experiment's quality, hallucinations and cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.anytime import anytime_figure
from analysis.anytime_cost import cost_sketches
from analysis.attainment import attainment_sketches
from analysis.axes import Axis, cost_axes
from analysis.comparison import Comparison, compare
from analysis.decodings import decoding_findings
from analysis.equal_cost import equal_cost_findings
from analysis.failures import failure_findings
from analysis.faults import fault_figure
from analysis.figures import Sketch
from analysis.leak import generalization_findings
from analysis.load import Experiment
from analysis.memory import memory_findings
from analysis.money import money_findings
from analysis.pareto_table import pareto_findings
from analysis.prices import Prices
from analysis.prompts import prompt_findings
from analysis.reasons import Reasoned, consistency_findings, read_reasons
from analysis.reasons_figure import reason_sketches
from analysis.recitation import recitation_findings
from analysis.repairs import repair_findings
from analysis.sweeps import sweep_findings
from analysis.table import Findings

_FIGURES = (
    Sketch(
        "anytime",
        anytime_figure,
        "Incumbent after each proposal, invalid ones included: mean over seeds, 95 % bootstrap band. Regret 0 is the "
        "optimum, 1 the expectation of one random configuration. A run that ended early keeps its last incumbent; "
        "a line that leaves a logarithmic panel at the bottom has reached the optimum.",
    ),
    Sketch("faults", fault_figure, "Invalid proposals, each counted once under its first fault."),
)
_FURTHER_FIGURES: tuple[Callable[[Experiment, Comparison], tuple[Sketch, ...]], ...] = (attainment_sketches,)
"""Figures that only some experiments have, in the order of the report."""

_FURTHER: tuple[Callable[[Experiment, Comparison], Findings], ...] = (
    pareto_findings,
    generalization_findings,
    failure_findings,
    repair_findings,
    decoding_findings,
    prompt_findings,
    memory_findings,
    recitation_findings,
    sweep_findings,
)
"""Tables that only some experiments have, in the order of the report."""


@dataclass(frozen=True, slots=True)
class Material:
    """What tables and figures are made of, each read or computed once.

    Attributes:
        experiment: All complete runs.
        comparison: Those of them that can be compared.
        prices: The price table.
        axes: The costs that regret can be drawn against.
        reasons: Method -> its proposals, of the methods that gave reasons.
    """

    experiment: Experiment
    comparison: Comparison
    prices: Prices
    axes: tuple[Axis, ...]
    reasons: dict[str, list[Reasoned]]


def material(experiment: Experiment, prices: Prices) -> Material:
    """All of it, from the runs.

    Raises:
        RunError: A log is damaged.
    """
    axes, reasons = cost_axes(experiment, prices), read_reasons(experiment)
    return Material(experiment, compare(experiment), prices, axes, reasons)


def further_findings(of: Material) -> Findings:
    """The tables that only some experiments have, and what they say."""
    found = (
        *(findings(of.experiment, of.comparison) for findings in _FURTHER),
        money_findings(of.experiment, of.prices),
        equal_cost_findings(of.comparison, of.axes),
        consistency_findings(of.reasons),
    )
    tables = tuple(table for each in found for table in each.tables)
    return Findings(tables, tuple(said for each in found for said in each.said))


def sketches(of: Material) -> tuple[Sketch, ...]:
    """Every figure, those that only some experiments have included."""
    further = [sketch for each in _FURTHER_FIGURES for sketch in each(of.experiment, of.comparison)]
    return (*_FIGURES, *further, *cost_sketches(of.axes), *reason_sketches(of.reasons))
