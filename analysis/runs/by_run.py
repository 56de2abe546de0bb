"""Columns of trials as arrays by run, in one pass over all trials."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]


def by_run(trials: pl.DataFrame, *values: str | pl.Expr) -> dict[str, tuple[Floats, ...]]:
    """Run id -> each of these columns, shape (trials,), in the order of the trials; NaN for null.

    Args:
        trials: Rows with the column ``run``.
        values: Numbers or booleans; expressions are evaluated within each run.
    """
    named = [(pl.col(value) if isinstance(value, str) else value).alias(str(n)) for n, value in enumerate(values)]
    found = trials.group_by("run", maintain_order=True).agg(named)
    ends = found["0"].list.len().cum_sum().to_numpy()[:-1]
    flat = (found[str(n)].explode().cast(pl.Float64).fill_null(np.nan).to_numpy() for n in range(len(values)))
    arrays = zip(*(np.split(column, ends) for column in flat), strict=True)
    return dict(zip(found["run"].to_list(), arrays, strict=True))
