"""Metrics on a matrix of scores, shape (runs, tasks), and their intervals. Lower is better; leading axes broadcast.

The definitions are those of rliable (Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical
precipice"), and the tests compare with its results. Its own bootstrap is not used: ``StratifiedBootstrap`` draws from
NumPy's global state and ignores the ``random_state`` it is given, so its intervals cannot be reproduced.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Metric = Callable[[Floats], Floats]

RESAMPLES = 10_000
_CHUNK_NUMBERS = 200_000  # of a chunk of resamples: 1.6 MB stay in the processor's cache, which halves the time


def mean(scores: Floats) -> Floats:
    """Mean over tasks of the mean over runs, shape (..., runs, tasks) -> (...)."""
    result: Floats = scores.mean(axis=(-2, -1))
    return result


def interquartile_mean(scores: Floats) -> Floats:
    """Mean of the middle half of all runs on all tasks, shape (..., runs, tasks) -> (...).

    A quarter of the scores, rounded down, is cut at each end; with fewer than four scores it is the mean.
    """
    flat = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    cut = flat.shape[-1] // 4
    result: Floats = flat[..., cut : flat.shape[-1] - cut].mean(axis=-1)
    return result


def bootstrap_interval(
    scores: Floats,
    metric: Metric,
    generator: np.random.Generator,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> tuple[float, float] | None:
    """Stratified-bootstrap percentile interval: runs are drawn with replacement, within each task on its own.

    Args:
        scores: Shape (runs, tasks).
        metric: Takes shape (..., runs, tasks) to shape (...).
        generator: The random generator.
        level: Share of the resampled metrics within the interval.
        resamples: Number of bootstrap resamples.

    Returns:
        Lower and upper end, or None with one run per task, which leaves nothing to resample.
    """
    runs, tasks = scores.shape
    if runs < 2:
        return None
    size = max(1, _CHUNK_NUMBERS // scores.size)
    flat, columns = np.ascontiguousarray(scores).ravel(), np.arange(tasks)
    draws = []
    for start in range(0, resamples, size):
        picks = generator.integers(runs, size=(min(size, resamples - start), runs, tasks)) * tasks + columns
        draws.append(metric(flat.take(picks)))
    lower, upper = np.quantile(np.concatenate(draws), [(1 - level) / 2, (1 + level) / 2])
    return float(lower), float(upper)


def bootstrap_band(scores: Floats, seed: int = 0, resamples: int = 2_000) -> tuple[Floats, Floats]:
    """The 95 % interval of the mean at every proposal, shape (runs, tasks, proposals) -> twice (proposals,).

    As :func:`bootstrap_interval`, but whole curves are drawn. The mean of a resample is a weighted mean of the curves,
    so drawing the weights is enough. With a single run per task the band has no width.
    """
    runs, tasks, proposals = scores.shape
    means = np.zeros((resamples, proposals))
    for task, weights in enumerate(_weights(seed, runs, tasks, resamples)):
        means += weights @ scores[:, task] / (runs * tasks)
    lower, upper = np.quantile(means, [0.025, 0.975], axis=0)
    return lower, upper


@lru_cache(maxsize=2)  # all bands of a figure have the same
def _weights(seed: int, runs: int, tasks: int, resamples: int) -> tuple[Floats, ...]:
    """How often each run is drawn, per task of shape (resamples, runs)."""
    generator = np.random.default_rng(seed)
    shares = np.full(runs, 1 / runs)
    return tuple(generator.multinomial(runs, shares, size=resamples).astype(np.float64) for _ in range(tasks))


def mean_ranks(losses: Floats) -> Floats:
    """Mean rank of each method over runs and tasks, shape (methods, runs, tasks) -> (methods,).

    Rank 1 is the lowest loss; tied methods share the average of their ranks. NaN (no valid configuration) ranks last.
    """
    filled = np.where(np.isnan(losses), np.inf, losses)
    below = (filled[None] < filled[:, None]).sum(axis=1)
    equal = (filled[None] == filled[:, None]).sum(axis=1)
    result: Floats = (below + (equal + 1) / 2).mean(axis=(1, 2))
    return result


def share_interval(
    hits: Sequence[Sequence[int]], totals: Sequence[Sequence[int]], generator: np.random.Generator
) -> tuple[float, float] | None:
    """A 95 % interval of a share of proposals.

    Proposals of one run are dependent, so whole runs are resampled, within each task. If every run has the same share
    (e.g. 0 % or 100 %), this has no spread, and Wilson's interval over the proposals is returned instead.

    Args:
        hits: Number of hits, one inner sequence per task with one entry per run.
        totals: All proposals, of the same shape.
        generator: The only source of randomness.

    Returns:
        Lower and upper end between 0 and 1, or None without proposals.
    """
    shares = {hit / total for pair in zip(hits, totals, strict=True) for hit, total in zip(*pair, strict=True) if total}
    if not shares:
        return None
    if len(shares) == 1:
        return wilson_interval(sum(map(sum, hits)), sum(map(sum, totals)))
    found, drawn = np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for hit, total in zip(hits, totals, strict=True):
        picks = generator.integers(len(hit), size=(RESAMPLES, len(hit)))
        found += np.asarray(hit)[picks].sum(axis=1)
        drawn += np.asarray(total)[picks].sum(axis=1)
    lower, upper = np.quantile(found[drawn > 0] / drawn[drawn > 0], [0.025, 0.975])
    return float(lower), float(upper)


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """Wilson's score interval (95 %) of a share of ``total`` independent proposals (Wilson 1927)."""
    z = 1.959963984540054
    share = hits / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    lower, upper = max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
    return 0.0 if hits == 0 else lower, 1.0 if hits == total else upper  # exactly: rounding leaves 1e-17


def mean_interval_by_task(scores: Floats) -> tuple[float, float] | None:
    """Student's 95 % interval of :func:`mean` with tasks as strata, shape (runs, tasks) -> lower and upper end.

    With three or five seeds the bootstrap is too narrow to test against an exact expectation; this one is not. Degrees
    of freedom after Satterthwaite (1946).

    Returns:
        None with one run per task, which leaves no variance to estimate.
    """
    runs, tasks = scores.shape
    if runs < 2:
        return None
    parts = scores.var(axis=0, ddof=1) / (runs * tasks * tasks)
    variance = float(parts.sum())
    centre = float(mean(scores))
    if variance == 0.0:
        return centre, centre
    from scipy.special import stdtrit

    freedom = variance**2 / float((parts**2).sum() / (runs - 1))
    half = float(stdtrit(freedom, 0.975)) * math.sqrt(variance)
    return centre - half, centre + half
