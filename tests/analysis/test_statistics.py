"""Metrics and intervals: by hand, by rliable's own results, and reproducible."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from analysis.stats import statistics
from analysis.stats.statistics import (
    bootstrap_band,
    bootstrap_interval,
    interquartile_mean,
    mean,
    mean_interval_by_task,
    mean_ranks,
    share_interval,
    wilson_interval,
)

SCORES = np.random.default_rng(7).random((5, 3))


def _generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_interquartile_mean_by_hand() -> None:
    assert interquartile_mean(np.array([[9.0, 1.0], [2.0, 3.0]])) == 2.5
    assert interquartile_mean(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 600.0]])) == 3.5
    assert interquartile_mean(np.array([[1.0], [2.0], [6.0]])) == 3


def test_metrics_broadcast_over_leading_axes() -> None:
    many = np.stack([SCORES, SCORES + 1])
    for metric in (mean, interquartile_mean):
        assert metric(many) == pytest.approx([float(metric(SCORES)), float(metric(SCORES)) + 1])


@pytest.fixture(scope="module")
def rliable() -> Iterator[Any]:
    """rliable's library, past ``arch/__init__.py``, which fails on pandas 3 and is not needed."""
    found = importlib.util.find_spec("arch")
    if found is None or importlib.util.find_spec("rliable") is None:
        pytest.skip("rliable is not installed")
    before = set(sys.modules)
    package = types.ModuleType("arch")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules["arch"] = package
    yield importlib.import_module("rliable.library"), importlib.import_module("rliable.metrics")
    for name in [name for name in set(sys.modules) - before if name.split(".")[0] in {"arch", "rliable"}]:
        del sys.modules[name]


def test_the_metrics_are_those_of_rliable(rliable: Any) -> None:
    _, metrics = rliable
    assert float(mean(SCORES)) == pytest.approx(metrics.aggregate_mean(SCORES))
    for runs in range(1, 6):
        assert float(interquartile_mean(SCORES[:runs])) == pytest.approx(metrics.aggregate_iqm(SCORES[:runs]))


def test_the_interval_is_that_of_rliable_up_to_the_draws(rliable: Any) -> None:
    library, metrics = rliable
    np.random.seed(0)
    _, theirs = library.get_interval_estimates(
        {"x": SCORES}, lambda scores: np.array([metrics.aggregate_iqm(scores)]), reps=4_000
    )
    ours = bootstrap_interval(SCORES, interquartile_mean, _generator())
    assert ours == pytest.approx(theirs["x"][:, 0], abs=0.02)


def test_intervals_depend_on_the_generator_alone() -> None:
    np.random.seed(1)
    first = bootstrap_interval(SCORES, mean, _generator())
    np.random.seed(2)
    assert bootstrap_interval(SCORES, mean, _generator()) == first
    assert bootstrap_interval(SCORES, mean, np.random.default_rng(1)) != first


def test_chunking_draws_as_many_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bootstrap_interval(SCORES, mean, _generator(), resamples=1_000)
    monkeypatch.setattr(statistics, "_CHUNK_NUMBERS", 15 * 300)
    assert bootstrap_interval(SCORES, mean, _generator(), resamples=1_000) == pytest.approx(whole)


def test_resampling_stays_within_tasks() -> None:
    tasks_apart = np.array([[0.0, 100.0], [0.0, 100.0], [0.0, 100.0]])
    assert bootstrap_interval(tasks_apart, mean, _generator()) == (50, 50)


def test_one_run_a_task_has_no_interval() -> None:
    assert bootstrap_interval(SCORES[:1], mean, _generator()) is None
    assert mean_interval_by_task(SCORES[:1]) is None


def test_the_band_is_the_interval_of_the_mean_at_every_proposal() -> None:
    curves = np.stack([SCORES, SCORES**2], axis=-1)
    lower, upper = bootstrap_band(curves, resamples=10_000)
    for proposal in range(2):
        interval = bootstrap_interval(curves[..., proposal], mean, _generator())
        assert (lower[proposal], upper[proposal]) == pytest.approx(interval, abs=0.01)


def test_ranks_average_ties_and_put_unknown_losses_last() -> None:
    losses = np.array([[[1.0, 5.0]], [[1.0, np.nan]], [[2.0, 4.0]]])  # (methods, runs, tasks)
    assert mean_ranks(losses).tolist() == [(1.5 + 2) / 2, (1.5 + 3) / 2, (3 + 1) / 2]
    assert mean_ranks(np.full((2, 1, 1), np.nan)).tolist() == [1.5, 1.5]


def test_wilson_interval_by_hand() -> None:
    assert wilson_interval(0, 20) == pytest.approx((0, 0.16113), abs=1e-5)
    assert wilson_interval(5, 10) == pytest.approx((0.23659, 0.76341), abs=1e-5)
    assert wilson_interval(0, 2400)[0] == 0
    assert wilson_interval(2400, 2400)[1] == 1


def test_a_share_without_spread_falls_back_to_wilson() -> None:
    assert share_interval([[0, 0]], [[10, 10]], _generator()) == wilson_interval(0, 20)
    assert share_interval([], [], _generator()) is None


def test_a_share_is_resampled_by_run() -> None:
    lower, upper = share_interval([[0, 10]], [[10, 10]], _generator()) or (None, None)
    assert (lower, upper) == (0, 1)
    within = share_interval([[0, 0], [10, 10]], [[10, 10], [10, 10]], _generator())
    assert within == (0.5, 0.5)


def test_students_interval_by_hand() -> None:
    lower, upper = mean_interval_by_task(np.array([[1.0], [2.0], [3.0]])) or (0, 0)
    half = 4.302652729911275 / 3**0.5  # t(2 degrees of freedom, 97.5 %) * 1 / sqrt(3)
    assert (lower, upper) == pytest.approx((2 - half, 2 + half))
    assert mean_interval_by_task(np.ones((3, 2))) == (1, 1)
