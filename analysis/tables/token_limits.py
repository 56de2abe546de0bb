"""Longest replies compared: what the limit ``decoding.max_tokens`` does to a method's replies, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from analysis.present.cells import Cells, metric_cells
from analysis.present.render import number_text
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison
from analysis.runs.load import Experiment
from analysis.runs.variants import settings
from analysis.stats.material import Material
from analysis.stats.statistics import mean
from analysis.tables.paired import REGRET, Pairs, charge_notes, final_scores, pairs, shared_notes
from analysis.tables.shares import INTERVALS, cut_off_share, share_cells
from harness.trial import Fault

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("max tokens", ("limit",), "count"),
    Column("proposals", ("proposals",), "count"),
    Column("cut off (%)", ("cut_off",), "percent"),
    Column("truncated (%)", ("truncated",), "percent"),
    Column("invalid (%)", ("invalid",), "percent"),
    Column(f"{INTERVAL} (%)", ("invalid_lower", "invalid_upper"), "percent"),
    Column("hallucination (%)", ("invented",), "percent"),
    Column(f"{INTERVAL} (%)", ("invented_lower", "invented_upper"), "percent"),
    Column("completion tokens", ("completion_tokens",)),
    Column("a proposal (s)", ("proposal_seconds",)),
    Column("measure", ("measure",), "text"),
    Column("mean", ("variant",)),
    Column(INTERVAL, ("variant_lower", "variant_upper")),
)


def limit_findings(of: Material) -> Findings:
    """A table and a sentence a method, where methods differ in ``decoding.max_tokens`` alone."""
    experiment, comparison = of.experiment, of.comparison
    rows: list[Cells] = []
    said: list[str] = []
    notes: list[str] = []
    compared: list[tuple[Pairs, list[str]]] = []
    for limits in settings(experiment.runs, "decoding", "max_tokens"):
        methods = list(limits.values())
        shared = pairs(experiment, comparison, *methods)
        notes += shared_notes(experiment, shared, *methods)
        compared.append((shared, methods))
        of_method = [_row(experiment, comparison, shared, limit, method) for limit, method in limits.items()]
        rows, said = rows + of_method, [*said, _said(methods[0], of_method)]
    if not rows:
        return Findings()
    return Findings((_table(rows, notes + charge_notes(comparison, compared)),), tuple(said))


def _row(experiment: Experiment, comparison: Comparison, shared: Pairs, limit: int, method: str) -> Cells:
    """One limit over the runs that all limits of the method share."""
    own = shared.trials(experiment.trials).filter(pl.col("method") == method)
    row: Cells = {"method": method, "limit": limit, "proposals": own.height, "cut_off": cut_off_share(own)}
    row |= share_cells("invalid", own, "invalid") | share_cells("invented", own, "invented")
    row["truncated"] = int(own["faults"].list.contains(Fault.TRUNCATED.value).sum()) / own.height
    row |= {"completion_tokens": own["completion_tokens"].mean(), "proposal_seconds": own["ask_seconds"].mean()}
    if shared.seeds:
        row |= metric_cells("variant", mean, final_scores(comparison, method, shared))
        row["measure"] = shared.measure
    return row


def _table(rows: list[Cells], more: list[str]) -> Table:
    notes = [
        "Max tokens: decoding.max_tokens, the longest reply. Cut off: replies that hit it, whether or not a "
        "configuration could be read before; truncated: proposals of which nothing could be read for that reason. "
        "Hallucination: proposals with an unknown name, a wrong type, a number out of range, a value that is no "
        "choice, or a forbidden combination.",
        "Completion tokens and seconds (asking): means per proposal. "
        "Mean: of the final incumbents, over the tasks whose regret is known if there are any; bootstrap over seeds "
        f"within each task. {INTERVALS}",
    ]
    if any(row.get("measure") not in (None, REGRET) for row in rows):
        notes.append("Loss: the objective itself where it is minimized, else its negative; lower is better.")
    title = "Longest replies compared: what the limit does"
    return Table("token_limits", title, frame_of(rows, COLUMNS), COLUMNS, tuple(notes + more))


def _said(method: str, rows: list[Cells]) -> str:
    """What the shortest and the longest limit did to one method."""
    short, long = rows[0], rows[-1]
    return (
        f"At most {short['limit']} tokens cut off {_percent(short, 'cut_off')} of the replies to {method} and "
        f"{long['limit']} tokens {_percent(long, 'cut_off')}; {_percent(short, 'truncated')} and "
        f"{_percent(long, 'truncated')} of the proposals were truncated, {_percent(short, 'invented')} and "
        f"{_percent(long, 'invented')} hallucinations."
    )


def _percent(row: Mapping[str, object], key: str) -> str:
    share = row[key]
    return f"{number_text(100 * share)} %" if isinstance(share, float) else "an unknown share"


TABLE = Entry(140, limit_findings)
