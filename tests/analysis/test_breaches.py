"""Declared bounds that do not hold: rows stay, nothing is clipped, and no normalized figure rests on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.report.outputs import publish
from analysis.runs.comparison import compare
from analysis.runs.load import load
from analysis.runs.task import task_of
from analysis.stats.fronts import fronts
from analysis.tables.pareto_table import pareto_headline, pareto_table
from analysis.tables.quality import quality_table
from analysis.tables.quality_by_task import quality_by_task_table
from harness.errors import RunError
from tests.support.run_folders import OBJECTIVE, TRADE_OFF, outcome, trial, write_run

ERROR = {"name": "error", "direction": "minimize", "optimum": 0.0, "worst": 0.3}
ACCURACY = {"name": "accuracy", "direction": "maximize", "optimum": 1.0, "worst": 0.0}


def _run(folder: Path, method: str, losses: Sequence[float], objective: dict[str, Any], seed: int = 0) -> None:
    rows = [trial(i, 0.7, losses={objective["name"]: loss}) for i, loss in enumerate(losses)]
    write_run(folder, method, seed, rows, objectives=[objective], random_search_curve=None)


def _curve(folder: Path, method: str, losses: Sequence[float], objective: dict[str, Any], curve: list[float]) -> None:
    rows = [trial(i, 0.7, losses={objective["name"]: loss}) for i, loss in enumerate(losses)]
    write_run(folder, method, 0, rows, objectives=[objective], random_search_curve=curve)


def _smac(folder: Path) -> dict[str, Any]:
    experiment = load(folder)
    table = quality_table(experiment, compare(experiment))
    (row,) = (row for row in table.frame.iter_rows(named=True) if row["method"] == "smac")
    return row


CASES = {
    "worse than the worst": (ERROR, [1.46, 0.61, 0.9], 0.61, "3 of 3 rows are worse than the worst value"),
    "a forgotten minus": (ACCURACY, [0.9, 0.8], -0.8, "2 of 2 rows are worse than the worst value"),
    "better than the best": (ERROR | {"optimum": 0.2}, [0.1, 0.25], 0.1, "1 of 2 rows are better than the best value"),
    "swapped": (ERROR | {"optimum": 0.3, "worst": 0.0}, [0.1, 0.2], 0.1, "hpobench.credit_g: "),
    "one of many": (ERROR, [0.1] * 9 + [0.31], 0.1, "1 of 10 rows"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_declaration_that_does_not_hold(tmp_path: Path, case: str) -> None:
    objective, losses, best, said = CASES[case]
    curve = [0.2, 0.15, 0.12] if objective["direction"] == "minimize" else [-0.5, -0.6]
    _curve(tmp_path / "runs", "smac", losses, objective, curve)
    row = _smac(tmp_path / "runs")
    assert row["best.hpobench.credit_g"] == pytest.approx(best), "what a row holds"
    assert (row["regret_mean"], row["regret_iqm"]) == (None, None)
    experiment = load(tmp_path / "runs")
    sentence = experiment.tasks["hpobench.credit_g"].breaches[-1]
    assert said in sentence
    assert objective["name"] in sentence
    assert sentence.startswith("hpobench.credit_g: ")
    comparison = compare(experiment)
    for table in (quality_table(experiment, comparison), quality_by_task_table(experiment, comparison)):
        assert sentence in table.notes
        assert table.frame["regret_mean"].is_null().all()


def test_a_declaration_that_holds_is_not_doubted(tmp_path: Path) -> None:
    """Bounds belong to it, a float32 is as good as its float64, and what is below the highest fidelity is no matter."""
    rows = [
        trial(0, 0.8),
        trial(1, 0.5),
        trial(2, 0.800000012),
        trial(3, 0.9, fidelity={"epochs": 1}),
        trial(4, executed={}, losses={"balanced_accuracy": "NaN"}),
    ]
    write_run(tmp_path / "runs", "smac", 0, rows)
    assert load(tmp_path / "runs").tasks["hpobench.credit_g"].breaches == ()


def test_it_is_said_on_the_page_and_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run(tmp_path / "runs", "smac", [0.61], ERROR)
    report = publish(tmp_path / "runs", tmp_path / "out")
    printed = " ".join(capsys.readouterr().out.split())
    for text in (printed, report.read_text()):
        assert "the declared bounds of error (minimize; best 0, worst 0.3) do not hold: 1 of 1 rows" in text
        assert "no normalized figure is reported for this task" in text


def test_another_task_keeps_its_regret(tmp_path: Path) -> None:
    write_run(tmp_path, "smac", 0, [trial(0, 0.75)])
    write_run(tmp_path, "smac", 0, [trial(0, 0.9)], task="kc1")
    experiment = load(tmp_path)
    table = quality_table(experiment, compare(experiment))
    assert table.frame["regret_mean"][0] == pytest.approx(0.5)
    assert any("regret is over the other 1" in note or "kc1" in note for note in table.notes)


def test_a_second_objective_out_of_bounds_leaves_no_hypervolume(tmp_path: Path) -> None:
    known = [OBJECTIVE, TRADE_OFF[1] | {"optimum": 0.0, "worst": 10.0}]
    for method in ("random_search", "smac"):
        write_run(tmp_path, method, 0, [outcome(0, 0.7, 20.0)], objectives=known)
    experiment = load(tmp_path)
    comparison = compare(experiment)
    found = fronts(experiment, comparison)
    table = pareto_table(found)
    keys = ("hypervolume", "share", "hypervolume_half")
    assert [row[key] for row in table.frame.iter_rows(named=True) for key in keys] == [None] * 6
    assert any("train_seconds (minimize; best 0, worst 10) do not hold: 2 of 2 rows" in note for note in table.notes)
    assert not any("those that any run here observed" in note for note in table.notes)
    assert pareto_headline(found, comparison) == ()


@pytest.mark.parametrize(
    ("curve", "said"),
    [([-0.7, -0.6], "gets worse"), ([-0.7, -0.9], "outside"), ([0.7], "outside"), ([-0.7, "NaN"], "not finite")],
)
def test_an_expectation_of_random_search_that_cannot_be_one(tmp_path: Path, curve: list[Any], said: str) -> None:
    write_run(tmp_path, "smac", 0, [trial(0, 0.75)], random_search_curve=curve)
    task = load(tmp_path).tasks["hpobench.credit_g"]
    assert said in task.breaches[0]
    assert not task.regret_known


def _info(**changes: Any) -> dict[str, Any]:
    run = {"benchmark": "b", "task": "t", "method": "smac", "seed": 0, "objectives": [OBJECTIVE]}
    return run | {"random_search_curve": [-0.7, -0.75]} | changes


def test_curves_of_one_task_are_one_curve_of_several_lengths() -> None:
    assert task_of([_info(), _info(random_search_curve=[-0.7])]).random_curve == (-0.7, -0.75)
    task = task_of([_info(), _info(random_search_curve=[-0.71])])
    assert task.random_curve == ()
    assert "disagree about the expectation of random search" in task.breaches[0]


def test_an_older_run_that_has_no_scale_is_no_disagreement() -> None:
    scaled = [OBJECTIVE | {"scale": [1.0, 0.0]}]
    assert task_of([_info(), _info(objectives=scaled)]).objectives[0].scale == (1.0, 0.0)
    with pytest.raises(RunError, match="disagree"):
        task_of([_info(objectives=scaled), _info(objectives=[OBJECTIVE | {"scale": [2.0, 0.0]}])])


@settings(max_examples=60, deadline=None)
@given(
    losses=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6),
    optimum=st.none() | st.floats(-1e6, 1e6),
    worst=st.none() | st.floats(-1e6, 1e6),
    maximize=st.booleans(),
)
def test_best_values_are_values_of_rows_whatever_is_declared(
    tmp_path_factory: pytest.TempPathFactory,
    losses: list[float],
    optimum: float | None,
    worst: float | None,
    maximize: bool,
) -> None:
    folder = tmp_path_factory.mktemp("declared")
    direction = "maximize" if maximize else "minimize"
    objective = {"name": "score", "direction": direction, "optimum": optimum, "worst": worst}
    _curve(folder, "smac", losses, objective, [max(losses), min(losses)])
    row = _smac(folder)
    best = -min(losses) if maximize else min(losses)
    assert row["best.hpobench.credit_g"] == pytest.approx(best, rel=1e-12, abs=0.0)
    regret = row["regret_mean"]
    assert regret is None or regret >= -1e-5
