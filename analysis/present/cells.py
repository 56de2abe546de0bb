"""Cells of a table: raw values by column key, and metrics with their intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from analysis.stats.statistics import bootstrap_interval

Floats = npt.NDArray[np.float64]
Cells = dict[str, object]

BOOTSTRAP_SEED = 0  # every interval has its own generator, so that it does not depend on the others


def metric_cells(key: str, metric: Callable[[Floats], Floats], scores: Floats) -> Cells:
    """The metric and its interval; null if any run's score is unknown, since a mean of the others would be biased."""
    if np.isnan(scores).any():
        return {}
    cells: Cells = {key: float(metric(scores))}
    interval = bootstrap_interval(scores, metric, np.random.default_rng(BOOTSTRAP_SEED))
    if interval is not None:
        cells |= {f"{key}_lower": interval[0], f"{key}_upper": interval[1]}
    return cells
