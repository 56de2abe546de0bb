"""How far from a table's levels the configurations lay that were evaluated, where the nearest levels scored instead."""

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
    """The table, where any evaluation says its distance (``benchmark.space=nearest``)."""
    trials = of.experiment.trials.filter(pl.col("snap_steps").is_not_null() & pl.col("snap_steps_max").is_not_null())
    if trials.is_empty():
        return Findings()
    methods = trials["method"].unique(maintain_order=True).to_list()
    rows = [_row(method, trials.filter(pl.col("method") == method)) for method in methods]
    notes = (
        "A configuration scored what the nearest levels of the table scored: the benchmark's definition "
        "(benchmark.space=nearest), for every method. Distance: from each number to its nearest level, on its own "
        "scale, in steps between the two levels around it, so at most 0.5; its mean over the numbers of a "
        "configuration and over the evaluations, and the largest of all. " + INTERVALS,
    )
    title = "How far proposals lay from the levels that scored"
    return Findings((Table("snapped", title, frame_of(rows, COLUMNS), COLUMNS, notes),))


def _row(method: str, trials: pl.DataFrame) -> Cells:
    marked = trials.with_columns((pl.col("snap_steps_max") > 0).alias("off"))
    row: Cells = {"method": method, "evaluated": trials.height}
    row |= share_cells("off", marked, "off")
    mean, largest = trials["snap_steps"].mean(), trials["snap_steps_max"].max()
    return row | {"mean": mean, "largest": largest}


TABLE = Entry(100, snapped_findings)
