"""Distances of evaluated configurations to a table's levels, with ``benchmark.space=nearest``."""

from __future__ import annotations

import polars as pl

from analysis.present.cells import Cells
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.stats.material import Material
from analysis.tables.shares import INTERVALS, share_cells

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("evaluated", ("evaluated",), "count"),
    Column("off the levels (%)", ("off",), "percent"),
    Column(f"{INTERVAL} (%)", ("off_lower", "off_upper"), "percent"),
    Column("mean distance (steps)", ("mean",)),
    Column("largest distance (steps)", ("largest",)),
)


def snapped_findings(of: Material) -> Findings:
    """The table, if any evaluation recorded its distance (``benchmark.space=nearest``)."""
    trials = of.experiment.trials.filter(pl.col("snap_steps").is_not_null() & pl.col("snap_steps_max").is_not_null())
    if trials.is_empty():
        return Findings()
    methods = trials["method"].unique(maintain_order=True).to_list()
    rows = [_row(method, trials.filter(pl.col("method") == method)) for method in methods]
    notes = (
        "With benchmark.space=nearest a configuration is defined to score what the nearest levels of the table score, "
        "for every method. Distance: from each number to its nearest level, on its own "
        "scale, in steps between the two levels around it, so at most 0.5; mean over the numbers of a "
        "configuration and over evaluations, and maximum. " + INTERVALS,
    )
    title = "Distance of configurations to the table's levels"
    return Findings((Table("snapped", title, frame_of(rows, COLUMNS), COLUMNS, notes),))


def _row(method: str, trials: pl.DataFrame) -> Cells:
    marked = trials.with_columns((pl.col("snap_steps_max") > 0).alias("off"))
    row: Cells = {"method": method, "evaluated": trials.height}
    row |= share_cells("off", marked, "off")
    mean, largest = trials["snap_steps"].mean(), trials["snap_steps_max"].max()
    return row | {"mean": mean, "largest": largest}


TABLE = Entry(100, snapped_findings)
