"""Costs after each trial, incumbents at a cost, the figures and the table made of them."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.figures.anytime_cost import cost_figure, cost_grid, cost_sketches
from analysis.figures.figures import draw
from analysis.runs.load import load
from analysis.stats import axes
from analysis.stats.axes import at_cost, cost_axes
from analysis.stats.material import Material
from analysis.stats.prices import read_prices
from analysis.tables.equal_cost import equal_cost_findings
from harness.budget import Spent
from harness.problem import Outcome
from harness.trial import Proposal, Trial, Usage
from tests.support.run_folders import OBJECTIVE, USAGE, at, call, fault, trial, write_run

PRICES = read_prices()


def spending(prompt, completion, seconds=0.2):
    tokens = {"prompt_tokens": prompt, "cached_tokens": 0, "completion_tokens": completion}
    return {"usage": USAGE | tokens | {"calls": 1, "seconds": seconds}, "calls": [0]}


def two_methods(folder, **changes):
    """Random search: 2.25 s a trial. llm_chat: 2.25, 0.25 (invalid), 2.25 s; 110, 220 and 330 tokens."""
    for seed in range(2):
        rows = [trial(0, 0.6), trial(1, 0.7), trial(2, 0.65)]
        write_run(folder, "random_search", seed, rows, **changes)
        rows = [
            trial(0, 0.55, **spending(100, 10)),
            trial(1, violations=[fault("missing", "depth")], **spending(200, 20)),
            trial(2, 0.75, **spending(300, 30)),
        ]
        calls = [call(i, "x", started_at=at(10 * seed + i), seconds=0.2) for i in range(3)]
        write_run(folder, "llm_chat", seed, rows, calls, **changes)
    return load(folder)


def by_name(experiment, prices=PRICES):
    return {axis.name: axis for axis in cost_axes(experiment, prices)}


def test_costs_add_up_trial_by_trial(tmp_path):
    found = by_name(two_methods(tmp_path / "runs"))
    assert list(found) == ["seconds", "tokens", "money"]
    place = ("llm_chat", "hpobench.credit_g", 0)
    assert found["seconds"].cumulative[place].tolist() == [2.25, 2.5, 4.75]
    assert found["tokens"].cumulative[place].tolist() == [110, 330, 660]
    # Six calls of 0.2 s, none beside another: 1.2 s of a machine, half of them for each run of equal tokens.
    money = 0.6 / 3600 * 0.08925
    assert found["money"].cumulative[place].tolist() == pytest.approx([money / 6, money / 2, money])
    free = ("random_search", "hpobench.credit_g", 0)
    assert found["tokens"].cumulative[free].tolist() == found["money"].cumulative[free].tolist() == [0, 0, 0]


def test_the_clock_is_the_budgets(tmp_path):
    experiment = two_methods(tmp_path / "runs")
    spent = Spent()
    for row in experiment.trials.filter(run="hpobench.credit_g/llm_chat/0").to_dicts():
        seconds = row["evaluation_seconds"]
        outcome = None if seconds is None else Outcome({"a": 1.0}, {}, seconds)
        usage = Usage(1, row["prompt_tokens"], 0, row["completion_tokens"])
        params = {} if row["executed"] else None
        spent.add(Trial(0, Proposal({}, None, usage), (), None, None, None, params, outcome, None, 0.25, seconds))
    found = by_name(experiment)
    place = ("llm_chat", "hpobench.credit_g", 0)
    assert found["seconds"].cumulative[place][-1] == spent.seconds
    assert found["tokens"].cumulative[place][-1] == spent.tokens


def test_what_is_not_measured_is_unknown_for_that_run_alone(tmp_path):
    folder = tmp_path / "runs"
    write_run(folder, "smac", 0, [trial(0, 0.7, evaluation_seconds=None), trial(1, 0.7)])
    write_run(folder, "smac", 1, [trial(0, error="boom", executed={"depth": 1}), trial(1, 0.7)])
    write_run(folder, "smac", 2, [trial(0, 0.7), trial(1, 0.7)])
    seconds = by_name(load(folder))["seconds"].cumulative
    known = [seconds["smac", "hpobench.credit_g", seed] is not None for seed in range(3)]
    assert known == [False, False, True]


def test_joules_are_spread_by_tokens_and_nothing_is_attributed_without(tmp_path, monkeypatch):
    experiment = two_methods(tmp_path / "runs")
    joules = {run.id: 60.0 if run.seed == 0 and run.info["llm"] else None for run in experiment.runs}
    monkeypatch.setattr(axes, "run_joules", lambda _: joules)
    found = by_name(experiment)["joules"].cumulative
    assert found["llm_chat", "hpobench.credit_g", 0].tolist() == pytest.approx([10, 30, 60])
    assert found["llm_chat", "hpobench.credit_g", 1] is None
    assert found["random_search", "hpobench.credit_g", 1].tolist() == [0, 0, 0]


def test_different_currencies_are_not_added_up(tmp_path):
    folder = tmp_path / "runs"
    two_methods(folder)
    calls = [call(0, "x", model="other")]
    write_run(folder, "llm_other", 0, [trial(0, 0.6, **spending(100, 10))], calls)
    text = """
models:
  smollm2-135m-instruct: {tokens: {prompt: 1, completion: 2, currency: USD, as_of: 2025-01-01, source: me}}
  other: {tokens: {prompt: 1, completion: 2, currency: EUR, as_of: 2025-01-01, source: me}}
"""
    (tmp_path / "prices.yaml").write_text(text)
    experiment = load(folder)
    assert "money" not in by_name(experiment, read_prices(tmp_path / "prices.yaml"))
    (tmp_path / "prices.yaml").write_text(text.replace("EUR", "USD"))
    assert by_name(experiment, read_prices(tmp_path / "prices.yaml"))["money"].label == "estimated money (USD)"


def test_an_incumbent_is_a_right_continuous_step_function_of_cost():
    curve, cost = np.array([3.0, 3.0, 1.0]), np.array([2.0, 2.5, 4.0])
    grid = np.array([0.0, 1.99, 2.0, 2.6, 3.99, 4.0, 100.0])
    assert at_cost(curve, cost, 9.0, grid).tolist() == [9, 9, 3, 3, 3, 1, 1]
    # What cost nothing was there from the start.
    assert at_cost(curve, np.array([0.0, 0.0, 4.0]), 9.0, np.array([0.0, 4.0])).tolist() == [3, 1]


def test_a_grid_ends_exactly_at_the_largest_cost():
    grid = cost_grid([np.array([0.0, 0.7]), np.array([0.1, 0.3])])
    assert grid[-1] == 0.7
    assert grid[0] < 0.1
    assert np.allclose(np.diff(np.log(grid)), np.log(grid[1] / grid[0]))
    assert cost_grid([np.zeros(3)]).size == cost_grid([]).size == 0


def lines(panel):
    return {line.get_label(): line.get_ydata() for line in panel.lines}


@pytest.mark.filterwarnings("error")
def test_the_figure_shows_mean_regret_at_equal_cost(tmp_path):
    experiment = two_methods(tmp_path / "runs")
    found = by_name(experiment)
    (panel,) = cost_figure(Material(experiment), found["tokens"]).axes
    shown = lines(panel)
    # Regret is (0.8 - value) / (0.8 - 0.7): 2.5 after the first and second trial, 0.5 after the third.
    assert set(shown) == {"random_search (no cost)", "llm_chat"}
    assert shown["random_search (no cost)"] == pytest.approx([1.0, 1.0])
    assert (shown["llm_chat"][0], shown["llm_chat"][-1]) == pytest.approx((2.5, 0.5))
    assert sorted(set(np.round(shown["llm_chat"], 9))) == [0.5, 2.5]
    (panel,) = cost_figure(Material(experiment), found["seconds"]).axes
    assert set(lines(panel)) == {"random_search", "llm_chat"}
    ends = {line.get_label(): line.get_xdata()[[0, -1]].tolist() for line in panel.lines}
    assert ends == {"random_search": [2.25, 6.75], "llm_chat": [2.25, 4.75]}
    assert lines(panel)["llm_chat"][-1] == pytest.approx(0.5)


@pytest.mark.filterwarnings("error")
def test_a_method_whose_cost_is_unknown_is_left_out(tmp_path):
    folder = tmp_path / "runs"
    write_run(folder, "smac", 0, [trial(0, 0.7, evaluation_seconds=None)])
    write_run(folder, "tpe", 0, [trial(0, 0.7)])
    experiment = load(folder)
    (panel,) = cost_figure(Material(experiment), by_name(experiment)["seconds"]).axes
    assert set(lines(panel)) == {"tpe"}
    assert equal_cost_findings(Material(experiment, PRICES)).tables == ()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "changes", [{"random_search_curve": None}, {"objectives": [OBJECTIVE | {"optimum": None, "worst": None}]}]
)
def test_without_regret_best_values_are_drawn(tmp_path, changes):
    experiment = two_methods(tmp_path / "runs", **changes)
    (sketch,) = (each for each in cost_sketches(Material(experiment, PRICES)) if each.name == "anytime_seconds")
    assert "</svg>" in draw(sketch.figure_of, sketch.name, Material(experiment))[0]
    (panel,) = sketch.figure_of(Material(experiment)).axes
    assert panel.get_ylabel() == "best balanced_accuracy"
    assert lines(panel)["llm_chat"][-1] == pytest.approx(0.75)
    assert equal_cost_findings(Material(experiment, PRICES)).tables == ()


def test_nothing_is_drawn_of_a_cost_that_nobody_has(tmp_path):
    write_run(tmp_path / "runs", "smac", 0, [trial(0, 0.7, evaluation_seconds=None)])
    experiment = load(tmp_path / "runs")
    assert cost_sketches(Material(experiment, PRICES)) == ()


def test_regret_at_equal_cost_is_read_where_the_cheapest_run_ended(tmp_path):
    experiment = two_methods(tmp_path / "runs")
    (table,) = equal_cost_findings(Material(experiment, PRICES)).tables
    rows = {row["method"]: row for row in table.frame.to_dicts()}
    # llm_chat ends after 4.75 s, when random search has paid for two of its three trials: 0.7, regret 1.
    assert rows["random_search"]["seconds"] == pytest.approx(1.0)
    assert rows["llm_chat"]["seconds"] == rows["llm_chat"]["regret"] == pytest.approx(0.5)
    assert "tokens" not in table.frame.columns  # one method alone uses any
    assert any("seconds: 4.75 on hpobench.credit_g" in note for note in table.notes)
