"""Fronts, hypervolumes and attainment, computed by hand. Two objectives unless said; reference point 1.1 in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.figures.attainment import attainment_figure, hypervolume_figure, staircase
from analysis.figures.figures import draw
from analysis.runs.comparison import compare
from analysis.runs.load import load
from analysis.stats.fronts import fronts
from analysis.stats.material import Material
from analysis.stats.pareto import attainment_surface, front, hypervolume, hypervolume_curve, scaled
from analysis.tables.pareto_table import pareto_headline, pareto_table
from tests.support.run_folders import OBJECTIVE, fault, noisy_trade_offs, outcome, trial, write_run

NOTHING = [np.nan, np.nan]
SECONDS = {"name": "train_seconds", "direction": "minimize", "optimum": 0.0, "worst": 10.0}
KNOWN = [OBJECTIVE, SECONDS]  # balanced accuracy from 0.5 to 0.8, 0 to 10 s


def points(*rows: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1)


def test_a_front_is_what_nothing_dominates_each_once_and_in_order() -> None:
    found = front(points([3, 1], [1, 3], NOTHING, [2, 2], [2, 2], [3, 2], [1, 4], [4, 4]))
    assert found.tolist() == [[1, 3], [2, 2], [3, 1]]
    assert front(points(NOTHING)).shape == (0, 2)


def test_a_front_of_three_objectives() -> None:
    found = front(points([1, 1, 1], [2, 2, 0], [2, 2, 1], [0, 9, 9]))
    assert found.tolist() == [[0, 9, 9], [1, 1, 1], [2, 2, 0]]


def test_scaling() -> None:
    assert scaled(points([-0.8, 5.0], [-0.65, 7.0]), points(-0.8, 7)[:, 0], points(-0.5, 7)[:, 0]) == pytest.approx(
        points([0, 0], [0.5, 0])
    )


@pytest.mark.parametrize(
    ("rows", "volume"),
    [
        (points([0, 0]), 1.21),
        (points([0, 1], [1, 0]), 0.11 + 0.11 - 0.01),
        (points([0.2, 0.6], [0.5, 0.1]), 0.9 * 0.5 + 0.6 * 0.5),  # 0.45, and below it 0.6 wide from 0.6 down to 0.1
        (points([1.1, 0.0], [2.0, -1.0]), 0.0),
        (points([0.1, 0.1, 0.6]), 0.5),
        (np.empty((0, 2)), 0.0),
    ],
    ids=str,
)
def test_hypervolume_by_hand(rows: Any, volume: float) -> None:
    assert hypervolume(rows) == pytest.approx(volume)


def test_a_hypervolume_curve_is_that_of_the_points_so_far() -> None:
    rows = points(NOTHING, [0.5, 0.1], [0.6, 0.2], [0.2, 0.6], NOTHING)
    assert hypervolume_curve(rows) == pytest.approx([0, 0.6, 0.6, 0.9 * 0.5 + 0.3, 0.75])
    generator = np.random.default_rng(3)
    many = generator.random((40, 3))
    assert hypervolume_curve(many) == pytest.approx([hypervolume(many[: k + 1]) for k in range(40)])


def test_median_attainment_by_hand() -> None:
    runs = [points([1, 3], [3, 1]), points([2, 2]), points([4, 4])]
    assert attainment_surface(runs).tolist() == [[2, 3], [3, 2]]  # two of three
    assert attainment_surface(runs[:2]).tolist() == [[1, 3], [2, 2], [3, 1]]  # one of two
    assert attainment_surface(runs, share=1).tolist() == [[4, 4]]
    assert attainment_surface(runs[:1]).tolist() == runs[0].tolist()


def test_runs_that_found_nothing_attain_nothing() -> None:
    nothing, some = np.empty((0, 2)), points([2, 2])
    assert attainment_surface([nothing, some]).tolist() == [[2, 2]]
    assert attainment_surface([nothing, nothing, some]).shape == (0, 2)
    assert attainment_surface([nothing, some, points([1, 3])]).tolist() == [[2, 3]]


@pytest.mark.parametrize("runs", range(1, 24))
def test_a_surface_is_attained_by_exactly_as_many_runs_as_asked(runs: int) -> None:
    """Run k attains k and worse, so that the level is the number of the last run that is needed."""
    sets = [points([k, k]) for k in range(1, runs + 1)]
    assert attainment_surface(sets).tolist() == [[(runs + 1) // 2] * 2]


def test_a_staircase_leads_from_the_worst_second_to_the_worst_first_objective() -> None:
    x, y = staircase(points([1, 3], [2, 1]), worst=(5, 6))
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == [(1, 6), (1, 3), (2, 3), (2, 1), (5, 1)]


def _table(folder: Path) -> Any:
    experiment = load(folder)
    comparison = compare(experiment)
    found = fronts(experiment, comparison)
    return pareto_table(found), pareto_headline(found, comparison)


def _rows(table: Any) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in table.frame.iter_rows(named=True)}


def test_the_table_by_hand(tmp_path: Path) -> None:
    """As (scaled accuracy, scaled seconds): smac (0.5, 0.1), then (0.2, 0.6); random search (0.5, 0.6) or nothing."""
    smac = [outcome(0, 0.65, 1.0), trial(1, violations=[fault("missing", "depth")]), outcome(2, 0.74, 6.0)]
    smac.append(outcome(3, 0.8, 0.0, fidelity={"steps": 1}))  # below the highest fidelity: no result
    for seed in (0, 1):
        write_run(tmp_path, "smac", seed, smac, objectives=KNOWN)
    write_run(tmp_path, "random_search", 0, [outcome(0, 0.65, 6.0)], objectives=KNOWN)
    write_run(tmp_path, "random_search", 1, [trial(0, violations=[fault("missing", "depth")])], objectives=KNOWN)
    table, (sentence,) = _table(tmp_path)
    rows = _rows(table)
    assert (rows["smac"]["runs"], rows["smac"]["front_points"]) == (2, 2)
    assert rows["smac"]["hypervolume"] == pytest.approx(0.75)
    assert rows["smac"]["hypervolume_half"] == pytest.approx(0.6)
    assert rows["smac"]["share"] == pytest.approx(1)
    assert rows["random_search"]["hypervolume"] == pytest.approx(0.3 / 2)
    assert (rows["random_search"]["hypervolume_lower"], rows["random_search"]["hypervolume_upper"]) == (
        0,
        pytest.approx(0.3),
    )
    assert rows["random_search"]["share"] == pytest.approx(0.15 / 0.75)
    assert rows["random_search"]["front_points"] == 0.5
    assert not any("observed" in note for note in table.notes)
    assert sentence == (
        "Mean final hypervolume (hpobench.credit_g): 0.750 [0.750, 0.750] for smac, "
        "versus 0.150 [0, 0.300] for random_search."
    )


def test_a_scale_by_definition_is_used_where_nobody_knows_the_optimum(tmp_path: Path) -> None:
    objectives = [OBJECTIVE, SECONDS | {"optimum": None, "worst": None, "scale": [0.0, 10.0]}]
    write_run(tmp_path, "smac", 0, [outcome(0, 0.65, 1.0), outcome(1, 0.65, 3.0)], objectives=objectives)
    experiment = load(tmp_path)
    (found,) = fronts(experiment, compare(experiment))
    assert (found.lower[1], found.upper[1]) == (0.0, 10.0)
    assert found.observed == ()
    assert not experiment.tasks["hpobench.credit_g"].bounds(1)[0], "it is no optimum: there is no regret from it"


def test_unknown_ends_are_those_of_all_runs_and_the_note_says_so(tmp_path: Path) -> None:
    objectives = [OBJECTIVE, SECONDS | {"worst": None}]
    write_run(tmp_path, "smac", 0, [outcome(0, 0.65, 1.0), outcome(1, 0.65, 3.0)], objectives=objectives)
    write_run(tmp_path, "llm_chat", 7, [outcome(0, 0.65, 5.0)], objectives=objectives)
    experiment = load(tmp_path)
    (found,) = fronts(experiment, compare(experiment))
    assert (found.lower.tolist(), found.upper.tolist()) == ([-0.8, 1.0], [-0.5, 5.0])
    table, sentences = _table(tmp_path)
    assert any("best and worst train_seconds are the observed values of all runs" in note for note in table.notes)
    assert [row["hypervolume"] for row in table.frame.iter_rows(named=True)] == [None, None]  # no shared seed
    assert sentences == ()


def test_one_objective_has_no_front(tmp_path: Path) -> None:
    write_run(tmp_path, "smac", 0, [trial(0, 0.7)])
    experiment = load(tmp_path)
    assert fronts(experiment, compare(experiment)) == ()


@pytest.mark.filterwarnings("error")
def test_figures_are_reproducible_and_name_objectives_and_directions(tmp_path: Path) -> None:
    experiment = load(noisy_trade_offs(tmp_path / "runs", seeds=2, proposals=5))
    for figure in (attainment_figure, hypervolume_figure):
        assert draw(figure, "name", Material(experiment)) == draw(figure, "name", Material(experiment))
    axis = attainment_figure(Material(experiment)).axes[0]
    assert axis.get_xlabel() == "balanced_accuracy (maximize)"
    assert axis.get_ylabel() == "train_seconds (minimize)"
    assert axis.get_yscale() == "log"
    assert [line.get_label() for line in axis.lines] == ["random_search", "smac"]


def test_the_figure_shows_values_as_reported(tmp_path: Path) -> None:
    write_run(tmp_path, "smac", 0, [outcome(0, 0.65, 1.0), outcome(1, 0.75, 6.0)], objectives=KNOWN)
    experiment = load(tmp_path)
    axis = attainment_figure(Material(experiment)).axes[0]
    x, y = axis.lines[0].get_data()
    assert (list(x[:-1]), list(y[1:])) == ([0.75, 0.75, 0.65, 0.65], [6, 6, 1, 1])
    assert (x[-1], y[0]) == (axis.get_xlim()[0], axis.get_ylim()[1])
    assert sorted(map(tuple, axis.collections[0].get_offsets().tolist())) == [(0.65, 1), (0.75, 6)]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [[trial(0, violations=[fault("missing", "x")])], [outcome(0, 0.7, 1.0)]], ids=len)
@pytest.mark.parametrize("second_seed", [0, 1])
def test_what_is_unknown_leaves_a_gap_not_an_error(tmp_path: Path, rows: Any, second_seed: int) -> None:
    third = {"name": "size", "direction": "minimize", "optimum": None, "worst": None}
    objectives = [OBJECTIVE, SECONDS, third]
    for row in rows:
        if row["losses"]:
            row["losses"]["size"] = 5.0
    write_run(tmp_path, "smac", 0, rows, objectives=objectives)
    write_run(tmp_path, "llm_chat", second_seed, rows, objectives=objectives)
    experiment = load(tmp_path)
    comparison = compare(experiment)
    for figure in (attainment_figure, hypervolume_figure):
        assert draw(figure, "name", Material(experiment))[0].rstrip().endswith("</svg>")
    assert pareto_table(fronts(experiment, comparison)).frame.height == 2
