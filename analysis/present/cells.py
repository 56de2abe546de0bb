"""Cells of a table: raw values by the keys of its columns, and a metric with its interval as some of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from analysis.stats.statistics import bootstrap_interval

Floats = npt.NDArray[np.float64]
Cells = dict[str, object]

BOOTSTRAP_SEED = 0  # every interval starts from its own generator: none depends on which others are computed


def metric_cells(key: str, metric: Callable[[Floats], Floats], scores: Floats) -> Cells:
    """The metric and its interval; null where any run's score is unknown, for a mean of the others would flatter."""
    if np.isnan(scores).any():
        return {}
    cells: Cells = {key: float(metric(scores))}
    interval = bootstrap_interval(scores, metric, np.random.default_rng(BOOTSTRAP_SEED))
    if interval is not None:
        cells |= {f"{key}_lower": interval[0], f"{key}_upper": interval[1]}
    return cells
