"""Comparison of decoding modes: faults that a schema rules out, faults beyond it, and costs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from analysis.present.cells import Cells, metric_cells
from analysis.present.render import with_interval
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison, shared_seeds
from analysis.runs.load import Experiment
from analysis.runs.schema_faults import judged
from analysis.runs.variants import Variant, families
from analysis.stats.material import Material
from analysis.stats.statistics import mean
from analysis.tables.paired import REGRET, Pairs, charge_notes, final_scores, pairs, shared_notes
from analysis.tables.shares import INTERVALS, cut_off_share, share_cells
from harness.label import SCHEMA

FREE = "free"
"""The mode of a method without one in its name."""
BRANCHED = ("inactive", "forbidden", "missing_active")
"""Faults that only a schema with branches rules out."""

_OF_MODE = (
    Column("method", ("method",), "text"),
    Column("decoding", ("decoding",), "text"),
    Column("proposals", ("proposals",), "count"),
    Column("invalid (%)", ("invalid",), "percent"),
)
_BEYOND = (
    Column("beyond the schema (%)", ("beyond",), "percent"),
    Column(f"{INTERVAL} (%)", ("beyond_lower", "beyond_upper"), "percent"),
)
COLUMNS = (
    *_OF_MODE,
    Column(f"{INTERVAL} (%)", ("invalid_lower", "invalid_upper"), "percent"),
    Column("cut off (%)", ("cut_off",), "percent"),
    Column("against the schema (%)", ("within",), "percent"),
    *_BEYOND,
    Column("per call (s)", ("call_seconds",)),
    Column("per proposal (s)", ("proposal_seconds",)),
    Column("prompt tokens", ("prompt_tokens",)),
    Column("completion tokens", ("completion_tokens",)),
    Column("measure", ("measure",), "text"),
    Column("mean", ("variant",)),
    Column(INTERVAL, ("variant_lower", "variant_upper")),
)
COLUMNS_BY_TASK = (
    Column("task", ("task",), "text"),
    *_OF_MODE,
    *_BEYOND,
    Column("inactive (%)", ("inactive",), "percent"),
    Column("forbidden (%)", ("forbidden",), "percent"),
    Column("missing though active (%)", ("missing_active",), "percent"),
    Column("objective", ("objective",), "text"),
    Column("mean best value", ("best",)),
    Column(INTERVAL, ("best_lower", "best_upper")),
)


def decoding_findings(of: Material) -> Findings:
    """A table, and one sentence per method, if methods differ only in the decoding.

    A second table by task, if any proposal has a fault that only a schema with branches rules out.
    """
    experiment, comparison = of.experiment, of.comparison
    found = families(experiment, "decoding")
    if not found:
        return Findings()
    trials = judged(experiment)
    rows: list[Cells] = []
    by_task: list[Cells] = []
    notes: list[str] = []
    compared: list[tuple[Pairs, list[str]]] = []
    said: list[str] = []
    for base, variants in found.items():
        methods = [variant.method for variant in variants]
        shared = pairs(experiment, comparison, *methods)
        notes += shared_notes(experiment, shared, *methods)
        compared.append((shared, methods))
        of_base = [_row(comparison, shared.trials(trials), shared, base, variant) for variant in variants]
        rows, said = rows + of_base, said + _said(base, of_base)
        by_task += _task_rows(experiment, comparison, trials, base, variants)
    by_task.sort(key=lambda row: list(experiment.tasks).index(str(row["task"])))
    table = _table(rows, notes + charge_notes(comparison, compared))
    if not any(row[kind] for row in by_task for kind in ("beyond", *BRANCHED)):
        return Findings((table,), tuple(said))
    return Findings((table, _table_by_task(by_task)), tuple(said))


def _row(comparison: Comparison, trials: pl.DataFrame, shared: Pairs, base: str, variant: Variant) -> Cells:
    """One mode, over the runs that all modes of the method share."""
    own = trials.filter(pl.col("method") == variant.method)
    row = _validity(own, base, variant)
    calls = int(own["calls"].sum())
    row["call_seconds"] = float(own["llm_seconds"].sum()) / calls if calls else None
    row["proposal_seconds"] = own["ask_seconds"].mean()
    row["cut_off"] = cut_off_share(own)
    row |= {key: own[key].mean() for key in ("prompt_tokens", "completion_tokens")}
    if shared.seeds:
        row |= metric_cells("variant", mean, final_scores(comparison, variant.method, shared))
        row["measure"] = shared.measure
    return row


def _task_rows(
    experiment: Experiment, comparison: Comparison, trials: pl.DataFrame, base: str, variants: tuple[Variant, ...]
) -> Iterator[Cells]:
    """The modes that ran a task, over the seeds that all of them ran."""
    for task in experiment.tasks.values():
        here = [variant for variant in variants if (variant.method, task.name) in comparison.curves]
        seeds = shared_seeds(comparison.curves, [variant.method for variant in here], (task,))[0]
        shared = Pairs((task,), seeds)
        for variant in here:
            own = shared.trials(trials).filter((pl.col("method") == variant.method) & (pl.col("task") == task.name))
            row = {"task": task.name} | _validity(own, base, variant)
            row |= {kind: int(own[kind].sum()) / own.height for kind in BRANCHED}
            finals = np.array([[comparison.curves[variant.method, task.name][seed][-1]] for seed in seeds])
            row |= metric_cells("best", mean, task.values(finals)) if seeds else {}
            yield row | {"objective": f"{task.objective} ({task.direction})"}


def _validity(own: pl.DataFrame, base: str, variant: Variant) -> Cells:
    row: Cells = {"method": base, "decoding": variant.choice or FREE, "proposals": own.height}
    row |= share_cells("invalid", own, "invalid") | share_cells("beyond", own, "beyond")
    return row | {"within": int(own["within"].sum()) / own.height}


def _table(rows: list[Cells], more: list[str]) -> Table:
    notes = [
        "Against the schema: share of proposals with a fault that the recorded schema rules out: unparseable, "
        "truncated, a wrong name, type, number or choice, and, for a schema with branches, an inactive "
        "hyperparameter, a missing active one, or a forbidden combination. Beyond the schema: share of proposals with "
        "one of the last three faults that the recorded schema does not rule out; a flat schema rules out none of "
        "them. Modes without a schema are judged by the most complete schema of the task. A proposal can count in "
        "both columns. Other faults can hide those beyond the schema, so modes without a schema may have more of them.",
        "Cut off: share of replies that hit the limit decoding.max_tokens. "
        "Per call (s): mean latency, with other requests on the same server; per proposal (s): mean time of asking; "
        "tokens: means per proposal.",
        "Mean: mean of the final incumbents, over the tasks whose regret is known, or over all if there are none; "
        "bootstrap over seeds within each task. " + INTERVALS,
    ]
    if any(row.get("measure") not in (None, REGRET) for row in rows):
        notes.append("Loss: the objective if it is minimized, else its negative; lower is better.")
    notes += more
    absent = frozenset((number, "call_seconds") for number, row in enumerate(rows) if row["call_seconds"] is None)
    title = "Comparison of decoding modes"
    return Table("decodings", title, frame_of(rows, COLUMNS), COLUMNS, tuple(notes), absent)


def _table_by_task(rows: list[Cells]) -> Table:
    notes = (
        "Beyond the schema: as in the comparison of decoding modes. Inactive, forbidden, missing though active: "
        "shares of all proposals, whether the schema rules the fault out (branches) or not (flat); these faults exist "
        "only in spaces with conditions or forbidden combinations.",
        "Over the seeds that all modes of the method ran on the task; a mode with a run without result has no mean "
        f"best value. {INTERVALS}",
    )
    title = "Decoding modes by task: faults beyond the schema"
    return Table("decodings_by_task", title, frame_of(rows, COLUMNS_BY_TASK), COLUMNS_BY_TASK, notes)


def _said(base: str, rows: list[Cells]) -> list[str]:
    """A sentence on one method with a schema versus its first other mode; empty if there is no such pair."""
    said = []
    for schema in (row for row in rows if str(row["decoding"]).startswith(SCHEMA)):
        other = next(row for row in rows if row is not schema)
        texts = [with_interval(row, "invalid", 100, " %") for row in (schema, other)]
        beyond = with_interval(schema, "beyond", 100, " %")
        said.append(
            f"decoding={schema['decoding']} leaves {texts[0]} of {base}'s proposals invalid, versus {texts[1]} with "
            f"{other['decoding']}; {beyond} have faults that this schema does not rule out."
        )
    return said


TABLE = Entry(130, decoding_findings)
