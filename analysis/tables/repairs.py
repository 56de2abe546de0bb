"""Effect of repairs: invalid proposals before and after the repair, and quality."""

from __future__ import annotations

import polars as pl

from analysis.present.cells import Cells
from analysis.present.render import number_text, with_interval
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison
from analysis.runs.load import Experiment
from analysis.runs.variants import Variant, families
from analysis.stats.material import Material
from analysis.tables.paired import REGRET, Pairs, charge_notes, paired, pairs
from analysis.tables.shares import INTERVALS, share_cells

NONE = "none"

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("repair", ("repair",), "text"),
    Column("proposals", ("proposals",), "count"),
    Column("invalid as proposed (%)", ("invalid",), "percent"),
    Column(f"{INTERVAL} (%)", ("invalid_lower", "invalid_upper"), "percent"),
    Column("executed (%)", ("executed",), "percent"),
    Column("repaired of executed (%)", ("repaired",), "percent"),
    Column("invalid after repair (%)", ("left",), "percent"),
    Column("runs", ("runs",), "count"),
    Column("measure", ("measure",), "text"),
    Column("mean", ("variant",)),
    Column(INTERVAL, ("variant_lower", "variant_upper")),
    Column("minus repair=none", ("difference",)),
    Column(INTERVAL, ("difference_lower", "difference_upper")),
)


def repair_findings(of: Material) -> Findings:
    """The table, and one sentence per method, if methods differ only in the repair."""
    experiment, comparison = of.experiment, of.comparison
    found = families(experiment, "repair")
    if not found:
        return Findings()
    rows: list[Cells] = []
    said: list[str] = []
    compared: list[tuple[Pairs, list[str]]] = []
    for base, variants in found.items():
        of_base = [_row(experiment, comparison, base, variant) for variant in variants]
        rows += of_base
        said += _said(base, of_base)
        for methods in ([_reference(experiment, base, variant), variant.method] for variant in variants):
            compared.append((pairs(experiment, comparison, *methods), methods))
    return Findings((_table(rows, charge_notes(comparison, compared)),), tuple(said))


def _reference(experiment: Experiment, base: str, variant: Variant) -> str:
    """The method without a repair, with which a variant is compared; the variant itself if that was not run."""
    return base if base in experiment.methods else variant.method


def _row(experiment: Experiment, comparison: Comparison, base: str, variant: Variant) -> Cells:
    trials = experiment.trials.filter(pl.col("method") == variant.method)
    executed = trials.filter("executed")
    row: Cells = {"method": base, "repair": variant.choice or NONE, "proposals": trials.height}
    row |= share_cells("invalid", trials, "invalid")
    row["executed"] = executed.height / trials.height
    row["repaired"] = int(executed["invalid"].sum()) / executed.height if executed.height else None
    row["left"] = trials.filter(pl.col("invalid") & ~pl.col("executed")).height / trials.height
    reference = _reference(experiment, base, variant)
    compared = paired(experiment, comparison, reference, variant.method)
    alone = reference == variant.method  # no difference to itself
    return row | {key: value for key, value in compared.items() if not (alone and key.startswith("difference"))}


def _table(rows: list[Cells], more: list[str]) -> Table:
    notes = [
        "Each row covers the runs with this repair. Invalid after repair: the invalid rate if repaired proposals "
        "counted as valid; the original proposals are recorded.",
        "Mean: mean of the final incumbents, over the seeds and tasks in common with repair=none (runs); a "
        "negative difference means that the repair led to better ones. " + INTERVALS,
        "Intervals of means and paired differences: bootstrap over seeds within each task.",
    ]
    if any(row.get("measure") not in (None, REGRET) for row in rows):
        notes.append("Loss: the objective if it is minimized, else its negative; lower is better.")
    notes += more
    if len({row["runs"] for row in rows}) > 1:
        notes.append("Rows with different numbers of runs cover different runs: compare only their differences.")
    none = [number for number, row in enumerate(rows) if row["repair"] == NONE]
    absent = {(number, key) for number in none for key in ("difference", "difference_lower")}
    absent |= {(number, "repaired") for number, row in enumerate(rows) if not row["executed"]}
    title = "Invalid proposals hidden by repairs"
    return Table("repairs", title, frame_of(rows, COLUMNS), COLUMNS, tuple(notes), frozenset(absent))


def _said(base: str, rows: list[Cells]) -> list[str]:
    """A sentence on the repair that hides the most invalid proposals of a method; none if nothing is hidden."""
    row = max(rows, key=_hidden)
    if _hidden(row) <= 0:
        return []
    invalid = with_interval(row, "invalid", 100, " %")
    sentence = (
        f"Of {base}'s invalid proposals repair={row['repair']} would hide the most: {invalid} of its "
        f"{row['proposals']:,} proposals were invalid before and {_percent(row['left'])} after the repair"
    )
    if "difference" in row:
        more = with_interval(row, "difference")
        sentence += f", and the final {row['measure']} differs from that of repair=none by {more}"
    return [f"{sentence}."]


def _hidden(row: Cells) -> float:
    invalid, left = row["invalid"], row["left"]
    assert isinstance(invalid, float)
    assert isinstance(left, float)
    return invalid - left


def _percent(share: object) -> str:
    assert isinstance(share, float)
    return f"{number_text(100 * share)} %"


TABLE = Entry(120, repair_findings)
