"""Validation against test by hand, and what the leak adds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.runs.comparison import compare
from analysis.runs.load import load
from analysis.tables.generalization import generalization_table, incumbents
from analysis.tables.leak import leak_headlines, leak_pairs, leak_table
from tests.support.run_folders import fault, trial, write_run

ERROR = {"name": "error", "direction": "minimize", "optimum": None, "worst": None}


def _run(folder: Path, method: str, seed: int, scores: Sequence[tuple[float, float]], **changes: Any) -> None:
    """Validation and test score of each trial."""
    rows = [trial(i, seen, metrics={"test_balanced_accuracy": tested}) for i, (seen, tested) in enumerate(scores)]
    write_run(folder, method, seed, rows, **changes)


def _rows(folder: Path) -> dict[str, dict[str, Any]]:
    experiment = load(folder)
    table = generalization_table(experiment, compare(experiment), incumbents(experiment))
    return {row["method"]: row for row in table.frame.iter_rows(named=True)}


def test_the_incumbent_is_chosen_by_validation_alone(tmp_path: Path) -> None:
    _run(tmp_path, "smac", 0, [(0.70, 0.79), (0.75, 0.70), (0.75, 0.60), (0.6, 0.8)])  # the first of two equal ones
    _run(tmp_path, "smac", 1, [(0.73, 0.74)])
    row = _rows(tmp_path)["smac"]
    assert row["runs"] == 2
    assert row["validation"] == pytest.approx(0.74)
    assert row["test"] == pytest.approx(0.72)
    assert row["gap"] == pytest.approx(0.02)
    assert (row["gap_lower"], row["gap_upper"]) == pytest.approx((-0.01, 0.05))


def test_a_lower_fidelity_is_no_incumbent(tmp_path: Path) -> None:
    cheap = trial(1, 0.8, fidelity={"steps": 1}, metrics={"test_balanced_accuracy": 0.1})
    write_run(tmp_path, "smac", 0, [trial(0, 0.7, metrics={"test_balanced_accuracy": 0.65}), cheap])
    assert _rows(tmp_path)["smac"]["gap"] == pytest.approx(0.05)


def test_a_minimized_score_flatters_where_it_is_lower_than_on_test(tmp_path: Path) -> None:
    row = trial(0, losses={"error": 0.2}, executed={}, metrics={"test_error": 0.25})
    write_run(tmp_path, "smac", 0, [row], objectives=[ERROR], random_search_curve=None)
    found = _rows(tmp_path)["smac"]
    assert (found["validation"], found["test"], found["gap"]) == (0.2, 0.25, pytest.approx(0.05))


def test_a_run_without_an_incumbent_or_its_test_score_is_not_measured(tmp_path: Path) -> None:
    _run(tmp_path, "smac", 0, [(0.7, 0.6)])
    write_run(tmp_path, "llm_chat", 0, [trial(0, violations=[fault("missing", "depth")])])
    write_run(tmp_path, "opro", 0, [trial(0, 0.7, metrics={"test_balanced_accuracy": "NaN"})])
    rows = _rows(tmp_path)
    assert [rows[method]["gap"] for method in ("llm_chat", "opro")] == [None, None]
    assert (rows["opro"]["validation"], rows["opro"]["test"]) == (0.7, None)
    assert rows["smac"]["gap"] == pytest.approx(0.1)


def test_without_test_scores_there_is_nothing(tmp_path: Path) -> None:
    write_run(tmp_path, "smac", 0, [trial(0, 0.7)])
    assert incumbents(load(tmp_path)) == {}


def test_the_leak_by_hand(tmp_path: Path) -> None:
    for task, extra in {"31": 0.0, "53": 0.02}.items():
        for seed, tested in enumerate((0.69, 0.68, 0.67)):  # flatters by 0.01, 0.02, 0.03
            _run(tmp_path, "smac", seed, [(0.7, tested)], task=f"{task}+model=svm")
        for seed, tested in enumerate((0.65, 0.66)):  # by 0.05 and 0.04: 0.04 and 0.02 more
            _run(tmp_path, "smac", seed, [(0.7 + extra, tested)], task=f"{task}+leak=v1+model=svm")
    experiment = load(tmp_path)
    pairs = leak_pairs(experiment, incumbents(experiment))
    rows = {row["task"]: row for row in leak_table(pairs).frame.iter_rows(named=True)}
    assert list(rows) == ["hpobench.31+model=svm", "hpobench.53+model=svm"]
    first = rows["hpobench.31+model=svm"]
    assert first["runs"] == 2  # seed 2 has no partner
    assert [first[key] for key in ("gap", "gap_with_leak", "difference")] == pytest.approx([0.015, 0.045, 0.03])
    assert (first["difference_lower"], first["difference_upper"]) == pytest.approx((0.02, 0.04))
    assert rows["hpobench.53+model=svm"]["difference"] == pytest.approx(0.05)
    (sentence,) = leak_headlines(pairs)
    assert sentence == (
        "Training as in HPOBench v1 increases the gap between validation and test balanced_accuracy (maximize): "
        "0.0400 [0.0300, 0.0500] over 2 tasks for smac."
    )


def test_a_leak_without_its_partner_is_no_pair(tmp_path: Path) -> None:
    _run(tmp_path, "smac", 0, [(0.7, 0.6)], task="31+leak=v1+model=svm")
    _run(tmp_path, "smac", 0, [(0.7, 0.6)], task="31+model=lr")
    _run(tmp_path, "random_search", 0, [(0.7, 0.6)], task="31+model=svm")
    experiment = load(tmp_path)
    assert leak_pairs(experiment, incumbents(experiment)) == ()
    assert leak_headlines(()) == ()


@pytest.mark.parametrize(
    ("leaking", "plain", "found"),
    [
        ("31+leak=v1+model=svm", "31+model=svm", True),
        ("31+leak=v1", "31+leak=none", True),
        ("31+leak=v1", "31", True),
        ("31+leak=v1", "32", False),
        ("31+leak=v10", "31", False),
        ("31+leak=none", "31", False),
    ],
)
def test_the_same_task_without_the_leak(tmp_path: Path, leaking: str, plain: str, found: bool) -> None:
    for task in (leaking, plain):
        _run(tmp_path, "smac", 0, [(0.7, 0.6)], task=task)
    experiment = load(tmp_path)
    pairs = [pair.task.name for pair in leak_pairs(experiment, incumbents(experiment))]
    assert pairs == ([f"hpobench.{plain}"] if found else [])
