"""A share of a method's proposals with its interval, as cells of a table; the rates of faults in every table."""

from __future__ import annotations

import numpy as np
import polars as pl

from analysis.present.cells import BOOTSTRAP_SEED, Cells
from analysis.present.table import INTERVAL, Column
from analysis.runs.load import Experiment
from analysis.stats.statistics import share_interval
from harness.faults import Group

INTERVALS = "Intervals of shares: bootstrap over runs within each task; Wilson's where every run has the same share."


GROUPS = (
    "Hallucination rate: proposals in which something is invented: an unknown name, a wrong type, a number out of "
    "range, a value that is no choice, or a forbidden combination. Imprecise: a number between levels; redundant: an "
    "inactive hyperparameter; unreadable: nothing, or not all, could be read. Invalid: any of these. One proposal can "
    "be of several groups."
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
    """A sentence where rates are not measured, because rows do not say what is off the grid."""
    trials = experiment.trials.filter(pl.col(Group.INVENTED).is_null() | pl.col(Group.IMPRECISE).is_null())
    if not trials.height:
        return []
    counts = trials.group_by("method").agg(pl.n_unique("run")).sort("method").rows()
    runs = ", ".join(f"{method}: {count}" for method, count in counts)
    return [
        "Hallucination and imprecise are not measured where runs were judged before numbers between levels were told "
        f"apart, and called one that may be such a number no choice (runs: {runs})."
    ]


def cut_off_share(trials: pl.DataFrame) -> float | None:
    """Of the proposals that a model wrote, those whose reply hit its token limit; None where it is not known of all."""
    answered = trials.filter(pl.col("replies") > 0)["cut_off"]
    return None if answered.is_empty() or answered.has_nulls() else int(answered.sum()) / len(answered)


def share_cells(key: str, trials: pl.DataFrame, hit: str | pl.Expr) -> Cells:
    """The share of the trials that count, and its interval.

    Args:
        key: Of the share; its interval has ``<key>_lower`` and ``<key>_upper``.
        trials: With the columns ``task`` and ``run``.
        hit: Boolean column: which trials count.

    Returns:
        Nothing where there are no trials, or where it is not known of every one.
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
