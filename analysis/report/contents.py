"""The list of tables and figures: ``TABLE`` or ``FIGURE`` of each file in analysis/tables and analysis/figures.

A new file is found automatically.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import analysis.figures
import analysis.tables
from analysis.figures.figures import Sketch, draw
from analysis.present.table import Entry, Findings
from analysis.runs.load import Experiment
from analysis.stats.material import Material
from analysis.stats.prices import Prices
from analysis.tables.budgets import at_common_budget


@dataclass(frozen=True, slots=True)
class Contents:
    """The tables and figures of one experiment.

    Attributes:
        whole: All complete runs.
        common: The same without trials beyond the common budget of each task.
        cut: Sentences on the trials left out; empty if budgets are equal.
    """

    whole: Material
    common: Material
    cut: tuple[str, ...]

    def findings(self) -> Iterator[tuple[Entry, Findings]]:
        """The tables and their sentences, in the order of the report.

        Raises:
            RunError: A log is damaged.
        """
        for entry in _of_files(analysis.tables, "TABLE"):
            found = entry.findings_of(self.common if entry.whole is None else self.whole)
            notes = self._notes(entry)
            tables = tuple(replace(table, notes=(*table.notes, *notes)) for table in found.tables)
            yield entry, Findings(tables, found.said)

    def sketches(self) -> list[Sketch]:
        """All figures of the experiment, in the order of the report."""
        return [sketch for each in _of_files(analysis.figures, "FIGURE") for sketch in each.sketches_of(self.whole)]

    def drawn(self, sketch: Sketch) -> tuple[str, bytes]:
        """A figure as SVG and PNG."""
        return draw(sketch.figure_of, sketch.name, self.whole if sketch.whole else self.common)

    def _notes(self, entry: Entry) -> tuple[str, ...]:
        """Notes on the trials that a table covers."""
        over = self.cut if entry.whole is None else (entry.whole,) if entry.whole and self.cut else ()
        return (*over, *_uneven(self.whole.experiment)) if entry.own_runs else over


def contents(experiment: Experiment, prices: Prices) -> Contents:
    """Read and compute everything from the runs."""
    compared, cut = at_common_budget(experiment)
    whole = Material(experiment, prices)
    return Contents(whole, Material(compared, prices) if cut else whole, cut)


def _of_files(room: ModuleType, name: str) -> list[Any]:
    """The attribute of this name in the files of a room, sorted by ``order``; helper files have none."""
    files = [importlib.import_module(f"{room.__name__}.{file.name}") for file in pkgutil.iter_modules(room.__path__)]
    return sorted((vars(file)[name] for file in files if name in vars(file)), key=lambda each: each.order)


def _uneven(experiment: Experiment) -> tuple[str, ...]:
    """A sentence if methods were not run on the same tasks with the same seeds."""
    runs: dict[str, set[tuple[str, int]]] = {}
    for run in experiment.runs:
        runs.setdefault(run.method, set()).add((run.task, run.seed))
    every = len(set.union(*runs.values()))
    if all(len(own) == every for own in runs.values()):
        return ()
    short = ", ".join(f"{method}: {len(own)}" for method, own in runs.items() if len(own) < every)
    return (f"Each row is over the method's own runs, which differ in tasks and seeds ({short} of {every}).",)
