"""Pairs of runs that differ in one choice, and the table of prompts made of them, against numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.runs.comparison import compare
from analysis.runs.load import load
from analysis.stats.material import Material
from analysis.tables.paired import paired, pairs
from analysis.tables.prompts import prompt_findings
from tests.support.run_folders import CURVE, OBJECTIVE, fault, trial, write_run

ONE_RANDOM = 0.8 + CURVE[0]  # regret 1 is the expectation of one random configuration, 0.7; regret 0 is 0.8


def runs(folder, method, values, invalid=0, tokens=100, task="credit_g", **changes):
    """One run a value, seeds from 0: the value is its best; some proposals of each are invalid."""
    for seed, value in enumerate(values):
        rows = [trial(index, None, violations=[fault("missing", "depth")]) for index in range(invalid)]
        rows += [trial(index, value - 0.01 * (3 - index)) for index in range(invalid, 4)]
        for row in rows:
            row["usage"] = row["usage"] | {"calls": 1, "prompt_tokens": tokens, "completion_tokens": 5}
        write_run(folder, method, seed, rows, task=task, **changes)


def regret(value):
    return (0.8 - value) / ONE_RANDOM


def findings(folder):
    return prompt_findings(Material(load(folder)))


def pair(folder, base, variant):
    experiment = load(folder)
    return paired(experiment, compare(experiment), base, variant)


def test_pairs_are_compared_run_by_run(tmp_path):
    """Seeds differ by more than the prompts do: the interval of the difference is narrower than either's."""
    folder = tmp_path / "e"
    runs(folder, "llm_chat", [0.70, 0.74, 0.78], invalid=2)
    runs(folder, "llm_chat+prompt=hint_correct", [0.71, 0.75, 0.79], invalid=1)
    cells = pair(folder, "llm_chat", "llm_chat+prompt=hint_correct")
    assert (cells["runs"], cells["measure"]) == (3, "regret")
    assert cells["base"] == pytest.approx(regret(0.74))
    assert cells["variant"] == pytest.approx(regret(0.75))
    ends = [cells["difference"], cells["difference_lower"], cells["difference_upper"]]
    assert ends == pytest.approx([-0.1, -0.1, -0.1])
    assert cells["base_upper"] - cells["base_lower"] > 0.3
    assert [cells[f"invalid_{key}"] for key in ("base", "variant", "difference")] == [0.5, 0.25, -0.25]


def test_only_shared_seeds_and_tasks_are_paired(tmp_path):
    folder = tmp_path / "e"
    runs(folder, "llm_chat", [0.70, 0.74])
    runs(folder, "llm_chat", [0.60], task="kc1")
    runs(folder, "llm_chat+prompt=no_context", [0.72, 0.77, 0.79])
    experiment = load(folder)
    comparison = compare(experiment)
    shared = pairs(experiment, comparison, "llm_chat", "llm_chat+prompt=no_context")
    assert ([task.name for task in shared.tasks], shared.seeds) == (["hpobench.credit_g"], (0, 1))
    cells = paired(experiment, comparison, "llm_chat", "llm_chat+prompt=no_context")
    assert (cells["runs"], cells["difference"]) == (2, pytest.approx(-0.25))


def test_without_a_shared_run_nothing_is_said(tmp_path):
    folder = tmp_path / "e"
    runs(folder, "llm_chat", [0.70])
    runs(folder, "llm_chat+prompt=no_context", [0.72], task="kc1")
    assert pair(folder, "llm_chat", "llm_chat+prompt=no_context") == {"runs": 0}
    (row,) = findings(folder).tables[0].frame.to_dicts()
    assert (row["runs"], row["difference"], row["tokens_base"]) == (0, None, None)
    assert findings(folder).said == ()


def test_where_no_regret_is_known_the_loss_is_compared(tmp_path):
    folder = tmp_path / "e"
    unknown = {"objectives": [OBJECTIVE | {"optimum": None, "worst": None}], "random_search_curve": None}
    runs(folder, "llm_chat", [0.70, 0.74], **unknown)
    runs(folder, "llm_chat+prompt=no_context", [0.72, 0.77], **unknown)
    cells = pair(folder, "llm_chat", "llm_chat+prompt=no_context")
    assert cells["measure"] == "loss (balanced_accuracy)"
    assert [cells["base"], cells["variant"], cells["difference"]] == pytest.approx([-0.72, -0.745, -0.025])


def test_a_run_without_anything_valid_and_without_a_worst_value_is_not_measured(tmp_path):
    folder = tmp_path / "e"
    unknown = {"objectives": [OBJECTIVE | {"worst": None}]}
    runs(folder, "llm_chat", [0.70, 0.74], **unknown)
    runs(folder, "llm_chat+prompt=no_context", [0.72, 0.77], invalid=4, **unknown)
    cells = pair(folder, "llm_chat", "llm_chat+prompt=no_context")
    assert cells["base"] == pytest.approx(regret(0.72))
    assert not {"variant", "difference"} & cells.keys()
    assert cells["invalid_variant"] == 1.0


def test_every_prompt_is_compared_with_the_plain_one_of_its_own_method(tmp_path):
    folder = tmp_path / "e"
    runs(folder, "llm_chat", [0.70, 0.74], tokens=100)
    runs(folder, "llm_chat+prompt=context_full+decoding=json_schema", [0.70, 0.74], tokens=900)
    runs(folder, "llm_chat+decoding=json_schema", [0.76, 0.76], tokens=300)
    runs(folder, "opro+prompt=no_context", [0.70, 0.74])
    runs(folder, "random_search", [0.70, 0.74])
    found = findings(folder)
    (row,) = found.tables[0].frame.to_dicts()
    assert (row["method"], row["prompt"]) == ("llm_chat+decoding=json_schema", "context_full")
    assert (row["tokens_base"], row["tokens_variant"]) == (300, 900)
    assert row["difference"] == pytest.approx(0.4)
    (said,) = found.said
    assert said == (
        "llm_chat+decoding=json_schema: compared with the plain prompt, context on the task changes its final regret "
        "by 0.400 [0.200, 0.600] with context_full."
    )


def test_an_experiment_without_prompts_has_no_such_table(tmp_path):
    runs(tmp_path / "e", "llm_chat", [0.7])
    runs(tmp_path / "e", "opro+prompt=no_context", [0.7])
    assert findings(tmp_path / "e").tables == ()


def test_the_two_hints_are_weighed_against_each_other(tmp_path):
    folder = tmp_path / "e"
    runs(folder, "llm_chat", [0.70, 0.74])
    runs(folder, "llm_chat+prompt=hint_correct", [0.72, 0.76])
    runs(folder, "llm_chat+prompt=hint_misleading", [0.65, 0.69])
    (said,) = findings(folder).said
    assert said == (
        "llm_chat: the correct hint changes its final regret by -0.200 [-0.200, -0.200], the misleading one by 0.500 "
        "[0.500, 0.500] (negative: it helps); the sum is 0.300 [0.300, 0.300], 0 if one hurts as much as the "
        "other helps."
    )


def test_the_interval_of_a_difference_covers_it(tmp_path):
    """No difference between the prompts: over many experiments with noise, about 95 % of the intervals hold 0."""
    from analysis.present.cells import metric_cells
    from analysis.stats.statistics import mean

    draw = np.random.default_rng(0)
    held = 0
    for _ in range(100):
        cells = metric_cells("d", mean, draw.normal(size=(20, 2)) - draw.normal(size=(20, 2)))
        held += cells["d_lower"] <= 0 <= cells["d_upper"]
    assert 87 <= held <= 99
