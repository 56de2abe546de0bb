"""Expected results of random search, computed instead of simulated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEGLIGIBLE = 1e-300
"""Powers below this count as 0: they do not change a sum, and denormal numbers are slow."""


def expected_minima(losses: NDArray[np.float64], draws: int, weights: NDArray[np.float64] | None = None) -> list[float]:
    """Exact E[lowest loss of k independent draws, with replacement], k = 1..draws.

    With the losses sorted, l_1 <= ... <= l_N, and S_i the probability that one draw is l_i or worse, the textbook sum
    of l_i (S_i^k - S_(i+1)^k) is rearranged to l_1 + sum of (l_i - l_(i-1)) S_i^k. No term is negative, so there is no
    cancellation, and also in floating point the curve never rises and never falls below l_1.

    Args:
        losses: (N,) loss of each configuration.
        draws: Length of the curve.
        weights: (N,) probability of drawing each configuration, up to a factor; None for uniform draws.

    Returns:
        ``draws`` losses, the first being the expected loss of one draw.
    """
    order = np.argsort(losses, kind="stable")
    ordered = losses[order]
    steps = np.diff(ordered)
    tails = np.cumsum((np.ones_like(ordered) if weights is None else weights[order])[::-1])[::-1]
    survival = tails[1:] / tails[0]
    power = np.ones_like(survival)
    curve = []
    for _ in range(draws):
        power *= survival
        power[power < NEGLIGIBLE] = 0.0
        # Not np.dot: BLAS threads cost more than they save, and a fixed order of summation keeps the curve monotone.
        curve.append(float(ordered[0] + (steps * power).sum()))
    return curve


def quantiles(losses: NDArray[np.float64], count: int, weights: NDArray[np.float64] | None = None) -> list[float]:
    """Losses at ``count`` equally spaced shares (0, ..., 1) of random draws, lowest first.

    The loss at a share is the lowest one that at least this share of all draws attains or undercuts. Nothing is
    interpolated, so each value is the loss of some configuration.

    Args:
        losses: (N,) loss of each configuration.
        count: At least 2, for the lowest and the highest loss.
        weights: As for ``expected_minima``.
    """
    likely = np.ones(len(losses)) if weights is None else weights
    order = np.argsort(losses, kind="stable")
    order = order[likely[order] > 0]
    drawn = np.cumsum(likely[order])
    # Not shares of 1: with integer weights, as in a table, these products are exact, so no tie is missed.
    wanted = np.arange(count) * drawn[-1] / (count - 1)
    found = losses[order][np.searchsorted(drawn, wanted).clip(max=len(order) - 1)]
    return [float(loss) for loss in found]
