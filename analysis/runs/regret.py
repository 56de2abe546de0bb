"""Incumbents and normalized regret: pure functions on arrays of losses. NaN stands for "not measured".

Which losses count for an incumbent says ``harness.incumbent``; the column ``loss`` is null for all others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]


def incumbent_curve(losses: Floats | Sequence[float | None]) -> Floats:
    """Lowest loss after each proposal. Every proposal is charged: one that was not evaluated keeps the incumbent.

    Args:
        losses: One loss per proposal in order; NaN or None if it was invalid or its evaluation failed.

    Returns:
        Shape (proposals,), never rising; NaN before the first loss. It holds measured values only.
    """
    return np.fmin.accumulate(np.asarray(losses, dtype=np.float64))


def incumbent_trials(trials: pl.DataFrame) -> pl.DataFrame:
    """The trial of the lowest loss of each run, the first of equal ones; none of a run without a loss."""
    counted = trials.filter(pl.col("loss").is_not_null()).sort("loss", "index")
    return counted.group_by("run", maintain_order=True).first()


def charged(losses: Floats, worst: Floats) -> Floats:
    """Incumbents of one method for regret: before its first loss a run has the task's worst value.

    This is a convention, and tables report the number of affected runs. If no run measured anything, all stay NaN,
    because no row would support the number.

    Args:
        losses: Any shape; NaN if not measured yet.
        worst: Worst value, broadcast to ``losses``; NaN if unknown.
    """
    return losses if np.isnan(losses).all() else np.where(np.isnan(losses), worst, losses)


def normalized_regret(losses: Floats, optimum: float | None, one_random: float | None) -> Floats:
    """(loss - optimum) / (E[loss of one random configuration] - optimum): 0 is the optimum, 1 one random draw.

    The scale is the one of Bayesmark (Turner et al. 2021, "Bayesian optimization is superior to random search",
    section 4), with the exact expectation instead of a simulated one. It can exceed 1.

    Args:
        losses: Any shape.
        optimum: Lowest possible loss, or None.
        one_random: Expected loss of a single uniformly drawn configuration, or None.

    Returns:
        The shape of ``losses``; all NaN if the optimum or the expectation is unknown or they are equal.
    """
    if optimum is None or one_random is None or not one_random > optimum:
        return np.full(losses.shape, np.nan)
    return (losses - optimum) / (one_random - optimum)


def stack_curves(curves: Sequence[Floats], proposals: int | None = None) -> Floats:
    """Curves of unequal length as one array: shorter runs keep their last incumbent.

    Args:
        curves: One curve per run, of shape (its proposals,), with at least one entry.
        proposals: Length of the result; None for that of the longest curve.

    Returns:
        Shape (runs, proposals).
    """
    length = max(map(len, curves)) if proposals is None else proposals
    return np.stack([_of_length(curve, length) for curve in curves])


def _of_length(curve: Floats, length: int) -> Floats:
    return curve[:length] if len(curve) >= length else np.pad(curve, (0, length - len(curve)), mode="edge")
