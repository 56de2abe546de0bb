from __future__ import annotations

import gc
import os
import tempfile

import pytest

from harness.budget import Budget
from harness.loop import run_loop
from harness.repair import NoRepair
from optimizers.random_search import RandomSearch
from optimizers.smac import SMAC
from tests.support.fakes import Line


def run(optimizer_class, seed, trials=30, benchmark=None):
    benchmark = benchmark or Line()
    budget = Budget(proposals=trials)
    optimizer = optimizer_class(benchmark.problem, seed, budget)
    rows = []
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, seed), budget, seed, rows.append)
    return rows


def test_smac_minimizes_the_loss_and_so_maximizes_the_score():
    losses = [row["losses"]["score"] for row in run(SMAC, 0)]
    assert min(losses[15:]) < min(losses[:5])
    assert sum(losses[15:]) / 15 < sum(losses[:8]) / 8
    assert min(losses) < 0.05


def test_smac_is_seeded():
    first, second, other = run(SMAC, 1, 12), run(SMAC, 1, 12), run(SMAC, 2, 12)
    assert [row["proposed"] for row in first] == [row["proposed"] for row in second]
    assert [row["proposed"] for row in first] != [row["proposed"] for row in other]


def test_smac_continues_after_failed_evaluations():
    rows = run(SMAC, 0, 15, Line(fail_above=0.5))
    assert any(row["error"] for row in rows)
    assert len(rows) == 15


def test_smac_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run(SMAC, 0, 5)
    gc.collect()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("optimizer_class", [RandomSearch, SMAC])
def test_no_numpy_scalars_leak_out(optimizer_class):
    assert {type(value) for row in run(optimizer_class, 0, 6) for value in row["proposed"].values()} == {int, float}


def test_random_search_draws_do_not_depend_on_the_budget():
    short, long = run(RandomSearch, 5, 10), run(RandomSearch, 5, 100)
    assert [row["proposed"] for row in short] == [row["proposed"] for row in long[:10]]
    assert len({row["proposed"]["x"] for row in long}) == 100
