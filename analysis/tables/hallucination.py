"""The hallucination table: shares of invalid proposals, by group and fault.

It also has shares of duplicates, near-duplicates, copies and refusals. docs/hallucination.md has all definitions.
"""

from __future__ import annotations

import polars as pl

from analysis.present.table import Column, Entry, Findings, Table, frame_of
from analysis.runs.load import Experiment
from analysis.tables.shares import GROUPS, INTERVALS, cut_off_share, group_cells, group_columns, unsure_notes
from harness.duplicates import STEPS
from harness.trial import Fault

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("proposals", ("proposals",), "count"),
    *group_columns(),
    Column("proposals per valid one", ("proposals_per_valid",)),
    Column("duplicates (%)", ("duplicates",), "percent"),
    Column("near-duplicates (%)", ("near_duplicates",), "percent"),
    Column("copies (%)", ("copies",), "percent"),
    Column("refusals (%)", ("refusals",), "percent"),
    Column("cut off (%)", ("cut_off",), "percent"),
    *(Column(f"{fault.value.replace('_', ' ')} (%)", (fault.value,), "percent") for fault in Fault),
)

OF_CANDIDATES = (
    Column("candidates", ("candidates",), "count"),
    Column("invalid candidates (%)", ("candidates_invalid",), "percent"),
)
"""Shown if a method draws candidates."""

OF_REPLIES = ("copies", "refusals", "cut_off")
"""Columns without a meaning for methods without a language model."""


def hallucination_table(experiment: Experiment) -> Table:
    """One row per method over all of its complete runs; shares are shares of its proposals."""
    rows = [_row(experiment, method) for method in experiment.methods]
    columns = COLUMNS + (OF_CANDIDATES if experiment.trials["candidates"].sum() else ())
    drawn = [column.keys[0] for column in columns[len(COLUMNS) :]]
    absent = {(number, key) for number, row in enumerate(rows) for key in drawn if not row["candidates"]}
    absent |= {(number, key) for number, row in enumerate(rows) for key in OF_REPLIES if not row["replies"]}
    notes = [
        GROUPS,
        *unsure_notes(experiment),
        "Shares of all proposals; a proposal with several faults counts for each of them.",
        INTERVALS,
        f"Near-duplicates: not duplicates, but equal to an earlier proposal after numbers are rounded to {STEPS} "
        "steps of their range.",
    ]
    if any(row["replies"] for row in rows):
        notes.append(
            "Copies: equal to a configuration in their own prompt. "
            "Refusals: no JSON object, and the reply begins with a refusal."
        )
        notes.append(
            "Cut off: share of the model's proposals whose reply hit its token limit "
            "(decoding.max_tokens), even if a configuration could be read; not a fault by itself."
        )
    failed = experiment.trials.filter("failed").group_by("method", maintain_order=True).len().sort("method")
    if failed.height:
        counts = ", ".join(f"{method}: {count}" for method, count in failed.iter_rows())
        notes.append(f"Failed evaluations, charged but not counted as invalid: {counts}.")
    if len(columns) > len(COLUMNS):
        notes.append("Candidates: configurations drawn from the model in one ask; one of them is proposed.")
    title = "Hallucination and invalid proposals"
    return Table("hallucination", title, frame_of(rows, columns), columns, tuple(notes), frozenset(absent))


def _row(experiment: Experiment, method: str) -> dict[str, object]:
    trials = experiment.trials.filter(pl.col("method") == method)
    answered = trials.filter(pl.col("replies") > 0)
    proposals, invalid = trials.height, int(trials["invalid"].sum())
    row: dict[str, object] = {
        "method": method,
        "runs": trials["run"].n_unique(),
        "proposals": proposals,
        **group_cells(trials),
        "proposals_per_valid": proposals / (proposals - invalid) if proposals > invalid else float("inf"),
        "duplicates": int(trials["duplicate"].sum()) / proposals,
        "near_duplicates": _share(trials["near_duplicate"], proposals),
        "replies": int(answered["replies"].sum()),
        "copies": _share(answered["copy"], proposals),
        "refusals": _share(answered["refusal"], proposals),
        "cut_off": cut_off_share(trials),
        "candidates": (candidates := int(trials["candidates"].sum())),
        "candidates_invalid": int(trials["candidates_invalid"].sum()) / candidates if candidates else None,
    }
    row |= {fault.value: int(trials["faults"].list.contains(fault.value).sum()) / proposals for fault in Fault}
    return row


def _share(counted: pl.Series, proposals: int) -> float | None:
    """A share; null without proposals, or if a value is unknown."""
    return None if counted.is_empty() or counted.has_nulls() else int(counted.sum()) / proposals


TABLE = Entry(20, lambda of: Findings((hallucination_table(of.experiment),)), own_runs=True)
