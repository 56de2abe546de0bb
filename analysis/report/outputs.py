"""Write all files of an analysis, and print its tables."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.text import Text

from analysis.present import render
from analysis.present.table import Table
from analysis.present.terminal import print_table, terminal_console
from analysis.report.contents import Contents, contents
from analysis.report.report import Group, Page, ReasonGroup, group_exhibits, group_reasons, write_report
from analysis.runs.escape import one_line
from analysis.runs.load import Experiment, describe_incomplete, labelled, load
from analysis.runs.reasoned import Reasoned
from analysis.runs.recorded_settings import settings
from analysis.runs.variants import folder_names
from analysis.stats.prices import OURS, read_prices
from analysis.tables.comparability import provenance
from analysis.tables.instrument import random_search_check
from analysis.tables.invalid_proposals import exhibits, write_csv
from analysis.tables.reasons import write_reasons
from harness.files import replace_file

_RENDERERS = {"md": render.markdown, "tex": render.latex}


def publish(experiment_folder: Path, output: Path, prices: Path = OURS) -> Path:
    """Analyze the runs of a folder: ``load``, then ``present``.

    Raises:
        HyperboleError: As these.
    """
    return present(load(experiment_folder), output, prices)


def present(experiment: Experiment, output: Path, prices: Path = OURS) -> Path:
    """Write tables, figures and report of an experiment, and print the tables.

    Args:
        experiment: The experiment, with whole runs.
        output: Folder for tables/, figures/ and report/.
        prices: The price table.

    Returns:
        Path of the report page.

    Raises:
        HyperboleError: The price table is invalid.
        DiskError: The output cannot be written.
    """
    experiment = labelled(experiment)
    source = contents(experiment, read_prices(prices))
    found = list(source.findings())
    tables = tuple(table for _, each in found for table in each.tables)
    printed = tuple(table for entry, each in found if entry.printed for table in each.tables)
    common = source.common
    remarks = [*source.cut, *breaches(experiment), *random_search_check(common.experiment, common.comparison)]
    incomplete = describe_incomplete(experiment.incomplete)
    remarks += [*filter(None, [incomplete]), *experiment.damaged]
    _write_tables(tables, output / "tables", folder_names(experiment))
    groups = _write_invalid(experiment, output / "tables")
    given = _write_reasons(source.whole.reasons, output / "tables")
    page = Page(
        experiment=experiment.name,
        headlines=tuple(map(one_line, dict.fromkeys(sentence for _, each in found for sentence in each.said))),
        remarks=tuple(map(one_line, remarks)),
        tables=tables,
        figures=_write_figures(source, output / "figures"),
        provenance=provenance(experiment),
        settings=settings(experiment),
        groups=groups,
        reasons=given,
    )
    report = write_report(page, output / "report")
    _print(page, printed, report)
    return report


def breaches(experiment: Experiment) -> tuple[str, ...]:
    """One sentence per declaration of a task that does not hold."""
    return tuple(sentence for task in experiment.tasks.values() for sentence in task.breaches)


def _write_tables(tables: tuple[Table, ...], folder: Path, names: Mapping[str, str]) -> None:
    for table in tables:
        for ending, renderer in _RENDERERS.items():
            replace_file(folder / f"{table.name}.{ending}", renderer(table))
        replace_file(folder / f"{table.name}.csv", render.comma_separated(table, names))


def _write_invalid(experiment: Experiment, folder: Path) -> tuple[Group, ...]:
    found = list(exhibits(experiment))
    file = io.StringIO()
    write_csv(file, found)
    replace_file(folder / "invalid_proposals.csv", file.getvalue())
    return group_exhibits(found)


def _write_reasons(reasons: dict[str, list[Reasoned]], folder: Path) -> tuple[ReasonGroup, ...]:
    if reasons:
        file = io.StringIO()
        write_reasons(file, reasons)
        replace_file(folder / "reasons.csv", file.getvalue())
    return group_reasons(reasons)


def _write_figures(source: Contents, folder: Path) -> tuple[tuple[str, str, str], ...]:
    shown = []
    for sketch in source.sketches():
        svg, png = source.drawn(sketch)
        replace_file(folder / f"{sketch.name}.svg", svg)
        replace_file(folder / f"{sketch.name}.png", png)
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
