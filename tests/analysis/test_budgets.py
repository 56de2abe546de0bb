"""Runs of different budgets: tables compare at the largest one that all had, by hand. Regret is (0.8 - value) / 0.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.report.outputs import publish
from analysis.runs.comparison import compare
from analysis.runs.labels import EXACT
from analysis.runs.load import load
from analysis.tables.budgets import at_common_budget
from analysis.tables.instrument import random_search_check
from analysis.tables.quality import quality_table
from tests.support.run_folders import fault, trial, write_run

VALUES = [0.6, 0.7, 0.72, 0.74, 0.76]


def _budget(**limits: float) -> dict[str, Any]:
    return {"budget": dict.fromkeys(("proposals", "evaluations", "tokens", "seconds")) | limits}


def _run(folder: Path, method: str, values: list[float | None], seed: int = 0, **changes: Any) -> None:
    invalid = {"violations": [fault("missing", "depth")]}
    rows = [trial(i, value) if value is not None else trial(i, **invalid) for i, value in enumerate(values)]
    write_run(folder, method, seed, rows, **changes)


def _regrets(folder: Path) -> tuple[dict[str, float], tuple[str, ...]]:
    experiment, said = at_common_budget(load(folder))
    table = quality_table(experiment, compare(experiment))
    return {row["method"]: row["regret_mean"] for row in table.frame.iter_rows(named=True)}, said


def test_more_proposals_are_compared_after_the_fewest(tmp_path: Path) -> None:
    _run(tmp_path, "random_search", VALUES)
    _run(tmp_path, "sobol", [0.65, 0.71])
    regrets, (said,) = _regrets(tmp_path)
    assert regrets == pytest.approx({"random_search": 1.0, "sobol": 0.9, EXACT: 0.8})
    assert said == (
        "hpobench.credit_g: the budgets differ (5 proposals: random_search; 2 proposals: sobol); compared after "
        "2 proposals, the largest that all runs had. Later trials are only in the curves."
    )


def test_more_evaluations_are_compared_after_the_fewest(tmp_path: Path) -> None:
    _run(tmp_path, "random_search", [None, 0.7, 0.78], **_budget(evaluations=2))
    _run(tmp_path, "sobol", [0.75], **_budget(evaluations=1))
    regrets, (said,) = _regrets(tmp_path)
    assert regrets == pytest.approx({"random_search": 1.0, "sobol": 0.5, EXACT: 1.0})
    assert "compared after 1 evaluations" in said


def test_tokens_and_seconds_end_with_the_trial_that_reaches_them(tmp_path: Path) -> None:
    _run(tmp_path, "random_search", VALUES, **_budget(seconds=10))  # 2.25 s a trial
    _run(tmp_path, "sobol", VALUES[:2], **_budget(seconds=4.5))
    assert _regrets(tmp_path)[0]["random_search"] == pytest.approx(1.0)
    usage = {"calls": 1, "prompt_tokens": 30, "cached_tokens": 0, "completion_tokens": 10, "seconds": 0.1}
    folder = tmp_path / "tokens"
    for method, limit, count in (("llm_chat", 200, 5), ("llm_tpe", 100, 3)):
        rows = [trial(i, value, usage=usage) for i, value in enumerate(VALUES[:count])]
        write_run(folder, method, 0, rows, **_budget(tokens=limit))
    assert _regrets(folder)[0]["llm_chat"] == pytest.approx(0.8), "three trials of 40 tokens reach 100"


def test_budgets_of_two_kinds_are_compared_by_proposals(tmp_path: Path) -> None:
    _run(tmp_path, "random_search", VALUES, **_budget(evaluations=5))
    _run(tmp_path, "sobol", [None, None, 0.75], **_budget(proposals=3))
    regrets, (said,) = _regrets(tmp_path)
    assert regrets == pytest.approx({"random_search": 0.8, "sobol": 0.5, EXACT: 0.7})
    assert "compared after 3 proposals" in said


def test_the_same_budget_is_not_cut_however_many_proposals_it_took(tmp_path: Path) -> None:
    _run(tmp_path, "random_search", [0.7, 0.72], **_budget(evaluations=2))
    _run(tmp_path, "llm_chat", [None, None, 0.6, 0.75], **_budget(evaluations=2))
    experiment = load(tmp_path)
    assert at_common_budget(experiment) == (experiment, ())
    table = quality_table(experiment, compare(experiment))
    regrets = {row["method"]: row["regret_mean"] for row in table.frame.iter_rows(named=True)}
    assert regrets == pytest.approx({"random_search": 0.8, "llm_chat": 0.5, EXACT: 0.8}), (
        "random search needs 2 of each"
    )
    assert table.notes[0].startswith("After 2 evaluations (2 to 4 proposals), ")


def test_random_search_has_no_expectation_where_neither_count_is_shared(tmp_path: Path) -> None:
    _run(tmp_path, "random_search", [0.7, 0.72], **_budget(seconds=2.5))
    _run(tmp_path, "llm_chat", [None, None, 0.75], **_budget(seconds=2.5))
    experiment = load(tmp_path)
    comparison = compare(experiment)
    rows = {row["method"]: row for row in quality_table(experiment, comparison).frame.iter_rows(named=True)}
    assert rows[EXACT]["regret_mean"] is None
    assert "not measured" in random_search_check(experiment, comparison)[0]


def test_each_task_has_its_own_budget(tmp_path: Path) -> None:
    for method in ("random_search", "sobol"):
        _run(tmp_path, method, VALUES)
        _run(tmp_path, method, VALUES[:2], task="kc1")
    experiment = load(tmp_path)
    assert at_common_budget(experiment) == (experiment, ())


def test_what_is_left_out_is_said_and_stays_in_the_curves(tmp_path: Path) -> None:
    _run(tmp_path / "runs", "random_search", [0.7, 0.7, 0.7, None, 0.79])
    _run(tmp_path / "runs", "sobol", [0.65, 0.71])
    _run(tmp_path / "runs", "llm_chat", [None, 0.71])
    page = publish(tmp_path / "runs", tmp_path / "out").read_text()
    tables = {path.stem: path.read_text() for path in (tmp_path / "out/tables").glob("*.md")}
    for name in ("quality", "quality_by_task", "hallucination"):
        assert "compared after 2 proposals" in tables[name]
    assert "Over whole runs; budgets differ." in tables["cost"]
    assert "All spent: at the end of each run" in tables["equal_cost"]
    assert "The runs differ in more than the method: budget." in page
    assert page.count('<figure id="anytime"') == 1
