"""Off-grid numbers: distance to the nearest level, and confusion with another hyperparameter's levels."""

from __future__ import annotations

import polars as pl

from analysis.present.cells import Cells
from analysis.present.table import Column, Entry, Findings, Table, frame_of
from analysis.stats.material import Material
from harness.faults import knew_grid

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("off the grid", ("off",), "count"),
    Column("mean distance (steps)", ("mean",)),
    Column("beyond the levels", ("outside",), "count"),
    Column("confused (%)", ("confused",), "percent"),
)


def stray_findings(of: Material) -> Findings:
    """The table, if any proposal has such a number with a recorded distance."""
    experiment = of.experiment
    known = [run.id for run in experiment.runs if knew_grid(run.info)]
    trials = experiment.trials.filter(pl.col("run").is_in(known))
    if trials.is_empty() or not trials.select((pl.col("off_steps").list.len() + pl.col("outside")).sum()).item():
        return Findings()
    methods = trials["method"].unique(maintain_order=True).to_list()
    rows = [_row(method, trials.filter(pl.col("method") == method)) for method in methods]
    notes = (
        "Off the grid: numbers between two levels of their hyperparameter; a proposal can have "
        "several. Distance: to the nearest level, in steps between the two around it, so at most 0.5. Beyond the "
        "levels: other numbers that are not a choice. Confused: share of both that are a level of another "
        "hyperparameter.",
    )
    return Findings((Table("strays", "Off-grid numbers", frame_of(rows, COLUMNS), COLUMNS, notes),))


def _row(method: str, trials: pl.DataFrame) -> Cells:
    steps = trials["off_steps"].explode().drop_nulls()
    outside, confused = int(trials["outside"].sum()), int(trials["confused"].sum())
    numbers = steps.len() + outside
    return {
        "method": method,
        "off": steps.len(),
        "mean": steps.mean(),
        "outside": outside,
        "confused": confused / numbers if numbers else None,
    }


TABLE = Entry(110, stray_findings)
