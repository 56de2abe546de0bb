"""Cells for shares of proposals with intervals, and the columns of fault rates in all tables."""

from __future__ import annotations

import numpy as np
import polars as pl

from analysis.present.cells import BOOTSTRAP_SEED, Cells
from analysis.present.table import INTERVAL, Column
from analysis.runs.load import Experiment
from analysis.stats.statistics import share_interval
from harness.faults import Group

INTERVALS = "Intervals of shares: bootstrap over runs within each task; Wilson's if every run has the same share."


GROUPS = (
    "Hallucination rate: share of proposals with an invented fault: an unknown name, a wrong type, a number out of "
    "range, a value that is not a choice, or a forbidden combination. Imprecise: a number between levels; redundant: "
    "an inactive hyperparameter; unreadable: an unparseable, truncated or incomplete reply. Invalid: any of these. A "
    "proposal can belong to several groups."
)


def group_columns() -> tuple[Column, ...]:
    """The hallucination rate, the shares of the other groups of faults, and the invalid rate, with intervals."""
    return (
        Column("hallucination (%)", (Group.INVENTED,), "percent"),
        Column(f"{INTERVAL} (%)", (f"{Group.INVENTED}_lower", f"{Group.INVENTED}_upper"), "percent"),
        *(Column(f"{group} (%)", (group,), "percent") for group in Group if group is not Group.INVENTED),
        Column("invalid (%)", ("invalid",), "percent"),
        Column(f"{INTERVAL} (%)", ("invalid_lower", "invalid_upper"), "percent"),
    )


def group_cells(trials: pl.DataFrame) -> Cells:
    """The cells of ``group_columns``."""
    cells: Cells = {}
    for key in (*map(str, Group), "invalid"):
        cells |= share_cells(key, trials, key)
    return cells


def unsure_notes(experiment: Experiment) -> list[str]:
    """A sentence if rates are not measured, because older rows do not distinguish off-grid numbers."""
    trials = experiment.trials.filter(pl.col(Group.INVENTED).is_null() | pl.col(Group.IMPRECISE).is_null())
    if not trials.height:
        return []
    counts = trials.group_by("method").agg(pl.n_unique("run")).sort("method").rows()
    runs = ", ".join(f"{method}: {count}" for method, count in counts)
    return [
        "Hallucination and imprecise are not measured for older runs that did not distinguish numbers between levels "
        f"from values that are not a choice (runs: {runs})."
    ]


def cut_off_share(trials: pl.DataFrame) -> float | None:
    """Share of the model's proposals whose reply hit its token limit; None if unknown for any."""
    answered = trials.filter(pl.col("replies") > 0)["cut_off"]
    return None if answered.is_empty() or answered.has_nulls() else int(answered.sum()) / len(answered)


def share_cells(key: str, trials: pl.DataFrame, hit: str | pl.Expr) -> Cells:
    """The share of trials with a property, and its interval.

    Args:
        key: Key of the share; the interval has ``<key>_lower`` and ``<key>_upper``.
        trials: Trials with the columns ``task`` and ``run``.
        hit: Boolean column of the property.

    Returns:
        The cells; empty without trials, or if the property is unknown for any.
    """
    counted = pl.col(hit) if isinstance(hit, str) else hit
    if not trials.height or trials.select(counted.has_nulls()).item():
        return {}
    runs = trials.group_by("task", "run", maintain_order=True).agg(counted.sum().alias("hits"), pl.len().alias("all"))
    tasks = runs.group_by("task", maintain_order=True).agg("hits", "all")
    hits, totals = tasks["hits"].to_list(), tasks["all"].to_list()
    cells: Cells = {key: sum(map(sum, hits)) / trials.height}
    interval = share_interval(hits, totals, np.random.default_rng(BOOTSTRAP_SEED))
    if interval is not None:
        cells |= {f"{key}_lower": interval[0], f"{key}_upper": interval[1]}
    return cells
