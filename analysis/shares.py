"""A share of a method's proposals with its interval, as cells of a table."""

from __future__ import annotations

import numpy as np
import polars as pl

from analysis.quality import BOOTSTRAP_SEED, Cells
from analysis.statistics import share_interval

INTERVALS = "Intervals of shares: bootstrap over runs within each task; Wilson's where every run has the same share."


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
        Nothing where there are no trials.
    """
    if not trials.height:
        return {}
    counted = pl.col(hit) if isinstance(hit, str) else hit
    runs = trials.group_by("task", "run", maintain_order=True).agg(counted.sum().alias("hits"), pl.len().alias("all"))
    tasks = runs.group_by("task", maintain_order=True).agg("hits", "all")
    hits, totals = tasks["hits"].to_list(), tasks["all"].to_list()
    cells: Cells = {key: sum(map(sum, hits)) / trials.height}
    interval = share_interval(hits, totals, np.random.default_rng(BOOTSTRAP_SEED))
    if interval is not None:
        cells |= {f"{key}_lower": interval[0], f"{key}_upper": interval[1]}
    return cells
