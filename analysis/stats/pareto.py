"""Fronts, hypervolume and attainment: pure functions on arrays of losses (minimized)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

REFERENCE = 1.1
"""Coordinate of the reference point in every scaled objective: slightly worse than the worst, so that the ends of a
front count (Ishibuchi et al. 2018, "How to specify a reference point in hypervolume calculation")."""


def front(losses: Floats) -> Floats:
    """The nondominated points, each once, by the first objective.

    Args:
        losses: Shape (points, objectives); rows of NaN are ignored.

    Returns:
        Shape (nondominated points, objectives).
    """
    from moocore import filter_dominated

    points = np.unique(losses[~np.isnan(losses).any(axis=1)], axis=0)  # sorted too
    found: Floats = filter_dominated(points) if len(points) else points
    return found


def scaled(losses: Floats, lower: Floats, upper: Floats) -> Floats:
    """Losses with 0 at ``lower`` and 1 at ``upper``, both of shape (objectives,); 0 if these are equal."""
    span = upper - lower
    result: Floats = np.where(span > 0, (losses - lower) / np.where(span > 0, span, 1.0), 0.0 * losses)
    return result


def hypervolume(points: Floats) -> float:
    """Volume between scaled points, shape (points, objectives), and the reference point; 0 without points."""
    from moocore import hypervolume as exact

    return float(exact(points, ref=np.full(points.shape[1], REFERENCE))) if len(points) else 0.0


def hypervolume_curve(points: Floats) -> Floats:
    """Hypervolume after each proposal, shape (proposals, objectives) -> (proposals,); rows of NaN add nothing."""
    found, volume, curve = points[:0], 0.0, []
    for point in points:
        if not np.isnan(point).any() and not (found <= point).all(axis=1).any():
            found = front(np.vstack([found, point]))
            volume = hypervolume(found)
        curve.append(volume)
    return np.array(curve)


def attainment_surface(fronts: Sequence[Floats], share: float = 0.5) -> Floats:
    """The best points that at least this share of the runs has attained (weakly dominates).

    The empirical attainment function of Grunert da Fonseca, Fonseca and Hall (2001) at one level; 0.5 is the median.

    Args:
        fronts: Nondominated losses per run, shape (points, objectives); may be empty.
        share: Above 0, at most 1.

    Returns:
        Shape (points, objectives), by the first objective; empty if too few runs found any.
    """
    from moocore import eaf

    needed = math.ceil(share * len(fronts))
    some = [points for points in fronts if len(points)]
    if len(some) < needed or not some:
        return np.empty((0, fronts[0].shape[1] if fronts else 0))
    runs = np.repeat(np.arange(len(some)), [len(points) for points in some])
    # Half a run below the level, because moocore rounds up and a percentile is not exact.
    surface = eaf(np.vstack(some), runs, percentiles=[100 * (needed - 0.5) / len(some)])
    return front(surface[:, :-1])
