"""Comparison of token limits: effect of ``decoding.max_tokens`` on replies and costs."""

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
    Column("per proposal (s)", ("proposal_seconds",)),
    Column("measure", ("measure",), "text"),
    Column("mean", ("variant",)),
    Column(INTERVAL, ("variant_lower", "variant_upper")),
)


def limit_findings(of: Material) -> Findings:
    """A table, and one sentence per method, if methods differ only in ``decoding.max_tokens``."""
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
    """One limit, over the runs that all limits of the method share."""
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
        "Max tokens: decoding.max_tokens, the limit of a reply. Cut off: replies that hit it, even if a "
        "configuration could be read; truncated: proposals that could not be read for this reason. "
        "Hallucination: proposals with an unknown name, a wrong type, a number out of range, a value that is not a "
        "choice, or a forbidden combination.",
        "Completion tokens and seconds (asking): means per proposal. "
        "Mean: mean of the final incumbents, over the tasks whose regret is known, or over all if there are none; "
        f"bootstrap over seeds within each task. {INTERVALS}",
    ]
    if any(row.get("measure") not in (None, REGRET) for row in rows):
        notes.append("Loss: the objective if it is minimized, else its negative; lower is better.")
    title = "Comparison of token limits"
    return Table("token_limits", title, frame_of(rows, COLUMNS), COLUMNS, tuple(notes + more))


def _said(method: str, rows: list[Cells]) -> str:
    """A sentence on the smallest and the largest limit of one method."""
    short, long = rows[0], rows[-1]
    return (
        f"A limit of {short['limit']} tokens cuts off {_percent(short, 'cut_off')} of the replies to {method}, a "
        f"limit of {long['limit']} tokens {_percent(long, 'cut_off')}; {_percent(short, 'truncated')} and "
        f"{_percent(long, 'truncated')} of the proposals were truncated, {_percent(short, 'invented')} and "
        f"{_percent(long, 'invented')} hallucinations."
    )


def _percent(row: Mapping[str, object], key: str) -> str:
    share = row[key]
    return f"{number_text(100 * share)} %" if isinstance(share, float) else "an unknown share"


TABLE = Entry(140, limit_findings)
