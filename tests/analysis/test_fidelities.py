"""Trials below the highest fidelity: what they are is said, and no result rests on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.figures.anytime import anytime_figure
from analysis.present.table import Findings
from analysis.runs.comparison import compare
from analysis.runs.load import load
from analysis.stats.fronts import fronts
from analysis.stats.material import Material
from analysis.tables.fidelities import fidelity_findings
from analysis.tables.hallucination import hallucination_table
from analysis.tables.headline import headlines
from analysis.tables.pareto_table import pareto_table
from analysis.tables.quality import quality_table
from analysis.tables.quality_by_task import quality_by_task_table
from tests.support.run_folders import OBJECTIVE, outcome, trial, write_run

SECONDS = {"name": "train_seconds", "direction": "minimize", "optimum": 0.0, "worst": 10.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cheap = [trial(i, 0.7 + i / 100, fidelity={"epochs": 1}) for i in range(3)]
    write_run(tmp_path, "successive_halving", 0, cheap)
    write_run(tmp_path, "successive_halving", 1, [*cheap[:2], trial(2, 0.79, fidelity={"epochs": 9})])
    write_run(tmp_path, "hyperband", 0, [*cheap[:2], trial(2, 0.75)])
    write_run(tmp_path, "hyperband", 1, cheap)
    for seed in (0, 1):
        write_run(tmp_path, "random_search", seed, [trial(i, 0.7) for i in range(3)])
    return tmp_path


def test_a_run_without_the_highest_fidelity_has_a_column_of_its_own(folder: Path) -> None:
    experiment = load(folder)
    comparison = compare(experiment)
    for table in (quality_table(experiment, comparison), quality_by_task_table(experiment, comparison)):
        rows = {row["method"]: row for row in table.frame.iter_rows(named=True)}
        found = {method: (row["runs_without_valid"], row["runs_only_below"]) for method, row in rows.items()}
        assert found["successive_halving"] == (0, 2)
        assert (found["hyperband"], found["random_search"]) == ((0, 1), (0, 0))
        assert rows["successive_halving"]["regret_mean"] is None
        assert "none at highest fidelity" in [column.header for column in table.columns]


def test_the_table_says_what_was_evaluated_where(folder: Path) -> None:
    experiment = load(folder)
    found = fidelity_findings(Material(experiment))
    rows = {row["method"]: row for row in found.tables[0].frame.iter_rows(named=True)}
    row = rows["successive_halving"]
    assert (row["runs"], row["without"], row["highest"], row["below"]) == (2, 2, 0, 6)
    assert (row["levels"], row["best"], row["best_below"]) == ("epochs=1, epochs=9", None, 0.79)
    assert (rows["hyperband"]["best"], rows["hyperband"]["best_below"]) == (0.75, 0.72)
    assert rows["random_search"]["below"] == 0
    assert found.said[1].startswith(
        "successive_halving on hpobench.credit_g: no trial at the highest fidelity in 2 of 2 runs"
    )


def test_without_lower_fidelities_nothing_of_it_is_shown(tmp_path: Path) -> None:
    write_run(tmp_path, "smac", 0, [trial(0, 0.7)])
    experiment = load(tmp_path)
    assert fidelity_findings(Material(experiment)) == Findings()
    table = quality_table(experiment, compare(experiment))
    assert "none at highest fidelity" not in [column.header for column in table.columns]


def test_a_method_that_stayed_below_is_not_best_and_has_no_empty_legend_entry(folder: Path) -> None:
    experiment = load(folder)
    figure = anytime_figure(Material(experiment))
    (legend,) = figure.legends
    assert "successive_halving (nothing at the highest fidelity)" in [text.get_text() for text in legend.get_texts()]
    quality = quality_table(experiment, compare(experiment))
    assert "random_search is best" in headlines(experiment, quality, hallucination_table(experiment))[-1]


def test_its_hypervolume_is_not_0_but_not_measured(tmp_path: Path) -> None:
    two = {"objectives": [OBJECTIVE, SECONDS]}
    write_run(tmp_path, "hyperband", 0, [outcome(0, 0.7, 5.0, fidelity={"epochs": 1})], **two)
    write_run(tmp_path, "smac", 0, [outcome(0, 0.7, 5.0)], **two)
    experiment = load(tmp_path)
    rows = {
        row["method"]: row for row in pareto_table(fronts(experiment, compare(experiment))).frame.iter_rows(named=True)
    }
    assert (rows["hyperband"]["hypervolume"], rows["hyperband"]["without"]) == (None, 1)
    assert rows["smac"]["hypervolume"] == pytest.approx((1.1 - 1 / 3) * (1.1 - 0.5))
