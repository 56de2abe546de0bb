"""Everything one experiment is turned into: files below a folder, and its tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from rich.text import Text

from analysis import render
from analysis.anytime import anytime_figure
from analysis.anytime_cost import cost_sketches
from analysis.attainment import attainment_sketches
from analysis.axes import Axis, cost_axes
from analysis.check import random_search_check
from analysis.comparison import Comparison, compare
from analysis.cost import cost_table
from analysis.decodings import decoding_findings
from analysis.equal_cost import equal_cost_findings
from analysis.failures import failure_findings
from analysis.faults import fault_figure
from analysis.figures import Sketch, draw
from analysis.hallucination import hallucination_table
from analysis.headline import headlines
from analysis.invalid import exhibits, write_csv
from analysis.leak import generalization_findings
from analysis.load import Experiment, describe_incomplete, load
from analysis.memory import memory_findings
from analysis.money import money_findings
from analysis.pareto_table import pareto_findings
from analysis.prices import OURS, read_prices
from analysis.prompts import prompt_findings
from analysis.provenance import provenance, settings
from analysis.quality import quality_by_task_table, quality_table
from analysis.reasons import Reasoned, consistency_findings, read_reasons, write_reasons
from analysis.reasons_figure import reason_sketches
from analysis.recitation import recitation_findings
from analysis.repairs import repair_findings
from analysis.report import Group, Page, ReasonGroup, group_exhibits, group_reasons, write_report
from analysis.sweeps import sweep_findings
from analysis.table import Findings, Table
from analysis.terminal import print_table, terminal_console

_RENDERERS = {"md": render.markdown, "tex": render.latex, "csv": render.comma_separated}
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


def publish(experiment_folder: Path, output: Path, prices: Path = OURS) -> Path:
    """Analyze the runs below one folder, write everything below another, print the tables.

    Args:
        experiment_folder: ``runs/<experiment>``.
        output: Gets tables/, figures/ and report/.
        prices: The price table.

    Returns:
        Path of the report page.

    Raises:
        HyperboleError: The folder holds nothing that can be analyzed, or the price table is none.
        OSError: The output cannot be written.
    """
    price_table = read_prices(prices)
    experiment = load(experiment_folder)
    comparison, reasons = compare(experiment), read_reasons(experiment)
    axes = cost_axes(experiment, price_table)
    quality, hallucination = quality_table(experiment, comparison), hallucination_table(experiment)
    further, sentences = _gathered(
        *(findings(experiment, comparison) for findings in _FURTHER),
        money_findings(experiment, price_table),
        equal_cost_findings(comparison, axes),
        consistency_findings(reasons),
    )
    printed = (quality, hallucination, cost_table(experiment), *further)
    tables = (*printed, quality_by_task_table(experiment, comparison))
    remarks = random_search_check(experiment, comparison)
    incomplete = describe_incomplete(experiment.incomplete)
    remarks = (*remarks, incomplete) if incomplete else remarks
    _write_tables(tables, output / "tables")
    groups = _write_invalid(experiment, output / "tables")
    given = _write_reasons(reasons, output / "tables")
    sketches = _sketches(experiment, comparison, axes, reasons)
    page = Page(
        experiment=experiment.name,
        headlines=(*headlines(experiment, quality, hallucination), *sentences),
        remarks=remarks,
        tables=tables,
        figures=_write_figures(sketches, experiment, comparison, output / "figures"),
        provenance=provenance(experiment),
        settings=settings(experiment),
        groups=groups,
        reasons=given,
    )
    report = write_report(page, output / "report")
    _print(page, printed, report)
    return report


def _gathered(*found: Findings) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    """The tables that only some experiments have, and what they say."""
    return tuple(table for each in found for table in each.tables), tuple(said for each in found for said in each.said)


def _write_tables(tables: tuple[Table, ...], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        for ending, renderer in _RENDERERS.items():
            (folder / f"{table.name}.{ending}").write_text(renderer(table), encoding="utf-8", newline="\n")


def _write_invalid(experiment: Experiment, folder: Path) -> tuple[Group, ...]:
    found = list(exhibits(experiment))
    with (folder / "invalid_proposals.csv").open("w", encoding="utf-8", newline="") as file:
        write_csv(file, found)
    return group_exhibits(found)


def _write_reasons(reasons: dict[str, list[Reasoned]], folder: Path) -> tuple[ReasonGroup, ...]:
    if reasons:
        with (folder / "reasons.csv").open("w", encoding="utf-8", newline="") as file:
            write_reasons(file, reasons)
    return group_reasons(reasons)


def _sketches(
    experiment: Experiment, comparison: Comparison, axes: tuple[Axis, ...], reasons: dict[str, list[Reasoned]]
) -> tuple[Sketch, ...]:
    """Every figure, those that only some experiments have included."""
    further = [sketch for sketches in _FURTHER_FIGURES for sketch in sketches(experiment, comparison)]
    return (*_FIGURES, *further, *cost_sketches(axes), *reason_sketches(reasons))


def _write_figures(
    sketches: tuple[Sketch, ...], experiment: Experiment, comparison: Comparison, folder: Path
) -> tuple[tuple[str, str, str], ...]:
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    for sketch in sketches:
        svg, png = draw(sketch.figure_of, sketch.name, experiment, comparison)
        (folder / f"{sketch.name}.svg").write_text(svg, encoding="utf-8", newline="\n")
        (folder / f"{sketch.name}.png").write_bytes(png)
        shown.append((sketch.name, sketch.caption, svg))
    return tuple(shown)


def _print(page: Page, tables: tuple[Table, ...], report: Path) -> None:
    console = terminal_console(sys.stdout.isatty())
    for table in tables:
        print_table(console, table)
    console.print()
    for sentence in (*page.headlines, *page.remarks):
        console.print(Text(sentence))
    console.print(Text(f"Report: {report}", no_wrap=True, overflow="ignore"), soft_wrap=True)
