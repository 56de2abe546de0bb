"""Everything one experiment is turned into: files below a folder, and its tables on the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.text import Text

from analysis import render
from analysis.anytime import anytime_figure
from analysis.check import random_search_check
from analysis.comparison import Comparison, compare
from analysis.cost import cost_table
from analysis.faults import fault_figure
from analysis.figures import draw
from analysis.hallucination import hallucination_table
from analysis.headline import headlines
from analysis.invalid import exhibits, write_csv
from analysis.load import Experiment, describe_incomplete, load
from analysis.provenance import provenance, settings
from analysis.quality import quality_by_task_table, quality_table
from analysis.report import Group, Page, group_exhibits, write_report
from analysis.table import Table
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
    tables = (
        quality_table(experiment, comparison),
        hallucination_table(experiment),
        cost_table(experiment),
        quality_by_task_table(experiment, comparison),
    )
    remarks = random_search_check(experiment, comparison)
    incomplete = describe_incomplete(experiment.incomplete)
    remarks = (*remarks, incomplete) if incomplete else remarks
    _write_tables(tables, output / "tables")
    groups = _write_invalid(experiment, output / "tables")
    page = Page(
        experiment=experiment.name,
        headlines=headlines(experiment, tables[0], tables[1]),
        remarks=remarks,
        tables=tables,
        figures=_write_figures(experiment, comparison, output / "figures"),
        provenance=provenance(experiment),
        settings=settings(experiment),
        groups=groups,
    )
    report = write_report(page, output / "report")
    _print(page, tables[:3], report)
    return report


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
    for name, (figure_of, caption) in _FIGURES.items():
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
