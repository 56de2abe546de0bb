"""Everything one experiment is turned into: files below a folder, and its tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from rich.text import Text

from analysis import render
from analysis.anytime import anytime_figure
from analysis.attainment import attainment_figure, hypervolume_figure
from analysis.check import random_search_check
from analysis.comparison import Comparison, compare
from analysis.cost import cost_table
from analysis.failures import failure_findings
from analysis.faults import fault_figure
from analysis.figures import draw
from analysis.hallucination import hallucination_table
from analysis.headline import headlines
from analysis.invalid import exhibits, write_csv
from analysis.leak import generalization_findings
from analysis.load import Experiment, describe_incomplete, load
from analysis.pareto_table import pareto_findings
from analysis.provenance import provenance, settings
from analysis.quality import quality_by_task_table, quality_table
from analysis.report import Group, Page, group_exhibits, write_report
from analysis.table import Findings, Table
from analysis.terminal import print_table, terminal_console

_RENDERERS = {"md": render.markdown, "tex": render.latex, "csv": render.comma_separated}
_FIGURES = {
    "anytime": (
        anytime_figure,
        "Incumbent after each proposal, invalid ones included: mean over seeds, 95 % bootstrap band. Regret 0 is the "
        "optimum, 1 the expectation of one random configuration. A run that ended early keeps its last incumbent; "
        "a line that leaves a logarithmic panel at the bottom has reached the optimum.",
    ),
    "faults": (fault_figure, "Invalid proposals, each counted once under its first fault."),
}
_FIGURES_OF_SEVERAL_OBJECTIVES = {
    "attainment": (
        attainment_figure,
        "The first two objectives as reported. Line: what at least half of a method's runs attain (median empirical "
        "attainment surface). Points: the final front of each run.",
    ),
    "hypervolume": (
        hypervolume_figure,
        "Hypervolume after each proposal, invalid ones included: mean over seeds, 95 % bootstrap band. "
        "Scales and reference point as in the table of Pareto fronts.",
    ),
}

_FURTHER: tuple[Callable[[Experiment, Comparison], Findings], ...] = (
    pareto_findings,
    generalization_findings,
    failure_findings,
)
"""Tables that only some experiments have, in the order of the report."""


def publish(experiment_folder: Path, output: Path) -> Path:
    """Analyze the runs below one folder, write everything below another, print the tables.

    Args:
        experiment_folder: ``runs/<experiment>``.
        output: Gets tables/, figures/ and report/.

    Returns:
        Path of the report page.

    Raises:
        HyperboleError: The folder holds nothing that can be analyzed.
        OSError: The output cannot be written.
    """
    experiment = load(experiment_folder)
    comparison = compare(experiment)
    quality, hallucination = quality_table(experiment, comparison), hallucination_table(experiment)
    further, sentences = _further(experiment, comparison)
    printed = (quality, hallucination, cost_table(experiment), *further)
    tables = (*printed, quality_by_task_table(experiment, comparison))
    remarks = random_search_check(experiment, comparison)
    incomplete = describe_incomplete(experiment.incomplete)
    remarks = (*remarks, incomplete) if incomplete else remarks
    _write_tables(tables, output / "tables")
    groups = _write_invalid(experiment, output / "tables")
    page = Page(
        experiment=experiment.name,
        headlines=(*headlines(experiment, quality, hallucination), *sentences),
        remarks=remarks,
        tables=tables,
        figures=_write_figures(experiment, comparison, output / "figures"),
        provenance=provenance(experiment),
        settings=settings(experiment),
        groups=groups,
    )
    report = write_report(page, output / "report")
    _print(page, printed, report)
    return report


def _further(experiment: Experiment, comparison: Comparison) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    """The tables that only some experiments have, and what they say."""
    found = [findings(experiment, comparison) for findings in _FURTHER]
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


def _write_figures(experiment: Experiment, comparison: Comparison, folder: Path) -> tuple[tuple[str, str, str], ...]:
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    several = any(len(task.objectives) > 1 for task in experiment.tasks.values())
    for name, (figure_of, caption) in (_FIGURES | (_FIGURES_OF_SEVERAL_OBJECTIVES if several else {})).items():
        svg, png = draw(figure_of, name, experiment, comparison)
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8", newline="\n")
        (folder / f"{name}.png").write_bytes(png)
        shown.append((name, caption, svg))
    return tuple(shown)


def _print(page: Page, tables: tuple[Table, ...], report: Path) -> None:
    console = terminal_console(sys.stdout.isatty())
    for table in tables:
        print_table(console, table)
    console.print()
    for sentence in (*page.headlines, *page.remarks):
        console.print(Text(sentence))
    console.print(Text(f"Report: {report}", no_wrap=True, overflow="ignore"), soft_wrap=True)
