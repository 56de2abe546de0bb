"""The exact random-search curve against enumeration, exact fractions and simulation."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmarks.lookup.order_statistics import expected_minima, quantiles

LOSSES = arrays(np.float64, st.integers(1, 12), elements=st.floats(-100, 100, allow_subnormal=False))


def test_against_enumeration() -> None:
    losses = np.array([3.0, -1.0, 2.0, 2.0])
    expected = [np.mean([min(draw) for draw in product(losses, repeat=k)]) for k in (1, 2, 3, 4)]
    assert expected_minima(losses, 4) == pytest.approx(expected, rel=1e-12)


@settings(derandomize=True, deadline=None)
@given(LOSSES, st.integers(1, 8), st.data())
def test_against_the_textbook_sum_in_fractions(losses: np.ndarray, draws: int, data: st.DataObject) -> None:
    whole = data.draw(st.lists(st.integers(1, 9), min_size=len(losses), max_size=len(losses)))
    pairs = sorted(zip(map(Fraction, losses.tolist()), whole, strict=True))
    tails = [Fraction(sum(w for _, w in pairs[i:]), sum(whole)) for i in range(len(pairs) + 1)]
    exact = [
        sum(loss * (tails[i] ** k - tails[i + 1] ** k) for i, (loss, _) in enumerate(pairs))
        for k in range(1, draws + 1)
    ]
    curve = expected_minima(losses, draws, np.array(whole, dtype=float))
    assert curve == pytest.approx([float(value) for value in exact], rel=1e-9, abs=1e-9)


@settings(derandomize=True, deadline=None)
@given(LOSSES, st.integers(1, 60))
def test_never_rises_and_never_beats_the_best(losses: np.ndarray, draws: int) -> None:
    curve = expected_minima(losses, draws)
    assert len(curve) == draws
    assert all(later <= earlier for earlier, later in pairwise(curve))
    assert curve[-1] >= losses.min()
    assert all(type(value) is float for value in curve)


def test_uniform_weights_change_nothing() -> None:
    losses = np.random.default_rng(0).normal(size=50)
    assert expected_minima(losses, 9, np.full(50, 1 / 50)) == pytest.approx(expected_minima(losses, 9), rel=1e-12)


def test_many_draws_end_at_the_best() -> None:
    losses = np.random.default_rng(1).normal(size=20)
    curve = expected_minima(losses, 20_000)
    assert curve[-1] == losses.min()


@pytest.mark.parametrize("weighted", [False, True])
def test_against_simulation(weighted: bool) -> None:
    rng = np.random.default_rng(2)
    losses = rng.exponential(size=300)
    weights = rng.random(300) if weighted else np.ones(300)
    runs = rng.choice(losses, size=(20_000, 15), p=weights / weights.sum())
    best = np.minimum.accumulate(runs, axis=1)
    errors = best.std(axis=0, ddof=1) / np.sqrt(len(best))
    curve = expected_minima(losses, 15, weights if weighted else None)
    assert np.all(np.abs(best.mean(axis=0) - curve) < 4.5 * errors)


def test_nothing_is_drawn() -> None:
    assert expected_minima(np.array([1.0, 2.0]), 0) == []


@settings(derandomize=True, deadline=None)
@given(LOSSES, st.integers(2, 9), st.data())
def test_quantiles_against_their_definition_in_fractions(losses: np.ndarray, count: int, data: st.DataObject) -> None:
    """The lowest loss that at least the share of all draws attains or is below."""
    whole = data.draw(st.lists(st.integers(1, 9), min_size=len(losses), max_size=len(losses)))
    pairs = sorted(zip(losses.tolist(), whole, strict=True))
    expected = []
    for share in (Fraction(step, count - 1) for step in range(count)):
        below = [loss for i, (loss, _) in enumerate(pairs) if sum(w for _, w in pairs[: i + 1]) >= share * sum(whole)]
        expected.append(min(below))
    assert quantiles(losses, count, np.array(whole, dtype=float)) == expected


def test_a_tie_between_a_share_and_a_draw_is_no_matter_of_rounding() -> None:
    assert quantiles(np.array([0.0, 1.0]), 6, np.array([3.0, 2.0])) == [0, 0, 0, 0, 1, 1]  # 3/5, in floats 0.6...01


def test_quantiles_of_a_draw_are_uniform_shares() -> None:
    rng = np.random.default_rng(3)
    losses, weights = rng.normal(size=500), rng.random(500)
    drawn = rng.choice(losses, size=50_000, p=weights / weights.sum())
    shares = [(drawn <= loss).mean() for loss in quantiles(losses, 21, weights)]
    assert shares == pytest.approx(np.linspace(0, 1, 21), abs=0.012)
    assert quantiles(losses, 2, weights) == [losses.min(), losses.max()]
