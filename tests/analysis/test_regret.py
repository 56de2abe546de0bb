"""Incumbents and regret, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.runs.regret import charged, incumbent_curve, normalized_regret, stack_curves
from analysis.runs.task import task_of
from harness.errors import RunError
from tests.support.run_folders import OBJECTIVE


def test_every_proposal_is_charged_and_an_invalid_one_keeps_the_incumbent() -> None:
    assert incumbent_curve([-0.4, -0.6, None, -0.5, -0.7]).tolist() == [-0.4, -0.6, -0.6, -0.6, -0.7]


def test_before_the_first_valid_one_there_is_no_incumbent() -> None:
    curve = incumbent_curve([None, None, 0.3])
    assert np.isnan(curve[:2]).all()
    assert curve[2] == 0.3


def test_regret_counts_what_came_before_with_the_worst_value_where_anything_was_measured() -> None:
    assert charged(np.array([np.nan, 0.7]), np.array(0.5)).tolist() == [0.5, 0.7], "and clips nothing"
    assert np.isnan(charged(np.array([np.nan, 0.7]), np.array(np.nan))).tolist() == [True, False]
    assert np.isnan(charged(np.array([np.nan, np.nan]), np.array(0.5))).all(), "no row would support it"


def test_regret_is_zero_at_the_optimum_and_one_at_one_random_draw() -> None:
    assert normalized_regret(np.array([-0.8, -0.7, -0.75, -0.5]), -0.8, -0.7) == pytest.approx([0, 1, 0.5, 3])


@pytest.mark.parametrize(("optimum", "one_random"), [(None, -0.7), (-0.8, None), (-0.7, -0.7), (-0.6, -0.7)])
def test_regret_is_not_measured_where_its_scale_is_unknown(optimum: float | None, one_random: float | None) -> None:
    assert np.isnan(normalized_regret(np.array([-0.7, -0.6]), optimum, one_random)).all()


def test_a_run_that_ended_keeps_its_last_incumbent() -> None:
    stacked = stack_curves([np.array([3.0, 2.0]), np.array([5.0, 4.0, 1.0])])
    assert stacked.tolist() == [[3, 2, 2], [5, 4, 1]]
    assert stack_curves([np.array([3.0, 2.0])], proposals=1).tolist() == [[3]]


def _run(**changes: object) -> dict[str, object]:
    run = {"benchmark": "hpobench", "task": "kc1", "method": "smac", "seed": 0, "objectives": [OBJECTIVE]}
    return run | {"random_search_curve": [-0.7, -0.75]} | changes


def test_a_task_turns_reported_values_into_losses_and_back() -> None:
    task = task_of([_run(), _run(seed=1, random_search_curve=[-0.7, -0.75, -0.76])])
    assert (task.name, task.optimum, task.worst) == ("hpobench.kc1", -0.8, -0.5)
    assert task.value(-0.75) == 0.75
    assert task.random_curve == (-0.7, -0.75, -0.76)
    assert task.random_regret == pytest.approx([1, 0.5, 0.4])


def test_a_minimized_objective_is_its_own_loss() -> None:
    task = task_of([_run(objectives=[{"name": "mse", "direction": "minimize", "optimum": 1.0, "worst": None}])])
    assert (task.optimum, task.worst, task.value(2.5)) == (1.0, None, 2.5)


def test_runs_that_disagree_about_the_optimum_are_refused() -> None:
    with pytest.raises(RunError, match="disagree"):
        task_of([_run(), _run(seed=1, objectives=[OBJECTIVE | {"optimum": 0.9}])])


def test_runs_that_disagree_about_a_further_objective_are_refused() -> None:
    second = {"name": "train_seconds", "direction": "minimize", "optimum": None, "worst": None}
    with pytest.raises(RunError, match="disagree"):
        task_of([_run(), _run(seed=1, objectives=[OBJECTIVE, second])])
    assert task_of([_run(objectives=[OBJECTIVE, second | {"worst": 9.0}])]).bounds(1) == (None, 9.0)
