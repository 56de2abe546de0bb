"""What was recited against the table's quantiles, from runs written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.report.outputs import publish
from analysis.runs.load import load
from analysis.stats.material import Material
from analysis.tables.recited import recitation_findings, share_better
from benchmarks.hpobench.hpobench import HPOBench
from tests.support.run_folders import OBJECTIVE, fault, trial, write_run

QUANTILES = np.linspace(-0.8, -0.5, 201).tolist()  # balanced accuracy, evenly spread from 0.8 to 0.5


def answer(index, value, score, depth=1, **changes):
    return trial(index, value, proposed={"depth": depth}, predicted=score, **changes)


def wrong(index, score=None):
    return answer(index, None, score, violations=[fault("missing", "alpha")])


def recite(folder, method, answers_by_seed, **changes):
    for seed, rows in enumerate(answers_by_seed):
        write_run(folder, method, seed, rows, **{"loss_quantiles": QUANTILES} | changes)


def findings(folder):
    experiment = load(folder)
    return recitation_findings(Material(experiment))


def test_one_row_by_hand(tmp_path):
    folder = tmp_path / "e"
    seeds = [
        [answer(0, 0.77, 0.95, depth=1), answer(1, 0.74, 0.70, depth=2), wrong(2, 0.9)],
        [answer(0, 0.77, None, depth=1), answer(1, 0.71, 0.75, depth=3), wrong(2)],
    ]
    recite(folder, "recitation+decoding=json_schema", seeds)
    found = findings(folder)
    (row,) = found.tables[0].frame.to_dicts()
    assert (row["answers"], row["valid"], row["distinct"]) == (6, pytest.approx(4 / 6), 3)
    assert row["better"] == pytest.approx((0.1 + 0.2) / 2, abs=0.003)  # of 0.1, 0.1, 0.2, 0.3
    assert row["better_lower"] == pytest.approx(0.1, abs=0.003)
    assert row["better_upper"] == pytest.approx(0.3, abs=0.003)
    assert (row["best"], row["optimum"], row["recalled"]) == (0.77, 0.8, "no")
    assert row["scores"] == 4
    assert row["score"] == pytest.approx((0.75 + 0.9) / 2)
    assert row["error"] == pytest.approx(0.04)  # of 0.18, 0.04, 0.04
    assert row["impossible"] == 0.5  # 0.95 and 0.9 are above 0.8
    (said,) = found.said
    assert said == (
        "recitation+decoding=json_schema: of all configurations, 15.0 % [10.0, 30.2] are better than the median "
        "one of its 4 valid recitations (chance: 50 %); it recited an optimal one on 0 of 1 tasks; 50.0 % of its 4 "
        "recited scores are better than any configuration of the table."
    )


def test_the_best_configuration_is_recognized(tmp_path):
    recite(tmp_path / "e", "recitation", [[answer(0, 0.8, 0.8), answer(1, 0.6, 0.6)]])
    (row,) = findings(tmp_path / "e").tables[0].frame.to_dicts()
    assert (row["recalled"], row["best"], row["impossible"], row["error"]) == ("yes", 0.8, 0.0, 0.0)


def test_an_objective_to_be_minimized(tmp_path):
    objective = {"name": "error", "direction": "minimize", "optimum": 1.0, "worst": 3.0}
    rows = [answer(0, None, 0.5, losses={"error": 2.0}, executed={"depth": 1})]
    changes = {"objectives": [objective], "loss_quantiles": [1.0, 2.0, 3.0], "random_search_curve": None}
    recite(tmp_path / "e", "recitation", [rows], **changes)
    (row,) = findings(tmp_path / "e").tables[0].frame.to_dicts()
    assert (row["better"], row["best"], row["score"], row["error"], row["impossible"]) == (0.5, 2.0, 0.5, 1.5, 1.0)


def test_random_search_stands_beside_it_and_nothing_else(tmp_path):
    recite(tmp_path / "e", "recitation", [[answer(0, 0.77, 0.9)]])
    recite(tmp_path / "e", "random_search", [[trial(0, 0.6)]])
    recite(tmp_path / "e", "smac", [[trial(0, 0.6)]])
    found = findings(tmp_path / "e")
    table = found.tables[0]
    assert sorted(table.frame["method"]) == ["random_search", "recitation"]
    control = table.frame["method"].to_list().index("random_search")
    assert table.inapplicable == {(control, key) for key in ("scores", "score", "error", "impossible")}
    assert [said.split(":")[0] for said in found.said] == ["recitation"]


def test_what_is_not_known_is_not_measured(tmp_path):
    objective = OBJECTIVE | {"optimum": None, "worst": None}
    changes = {"objectives": [objective], "loss_quantiles": None, "random_search_curve": None}
    recite(tmp_path / "e", "recitation", [[answer(0, 0.77, 0.9), wrong(1)]], **changes)
    found = findings(tmp_path / "e")
    (row,) = found.tables[0].frame.to_dicts()
    assert [row[key] for key in ("better", "optimum", "recalled", "impossible")] == [None] * 4
    assert (row["best"], row["score"]) == (0.77, 0.9)
    assert found.said == ()


def test_without_one_valid_answer(tmp_path):
    recite(tmp_path / "e", "recitation", [[wrong(0), wrong(1)]])
    found = findings(tmp_path / "e")
    (row,) = found.tables[0].frame.to_dicts()
    assert (row["valid"], row["distinct"], row["better"], row["best"], row["score"]) == (0, 0, None, None, None)
    assert (row["recalled"], found.said) == ("no", ())


def test_where_nothing_was_recited_there_is_no_table(tmp_path):
    recite(tmp_path / "e", "random_search", [[trial(0, 0.6)]])
    assert findings(tmp_path / "e").tables == ()


def test_it_is_published(tmp_path):
    recite(tmp_path / "e", "recitation", [[answer(0, 0.77, 0.95), answer(1, 0.74, 0.7), wrong(2)]] * 2)
    publish(tmp_path / "e", tmp_path / "out")
    assert "Recitation of the benchmark from memory" in (tmp_path / "out/tables/recitation.md").read_text()


def test_shares_of_a_real_table():
    """Exact to half a percent, ties counted half, 50 % on average; a third of this table is one value."""
    benchmark = HPOBench("vehicle")
    exact = np.array(benchmark.loss_quantiles(30_000))
    quantiles = np.array(benchmark.loss_quantiles(201))
    losses = exact[::97]
    expected = [(exact < loss).mean() + (exact == loss).mean() / 2 for loss in losses]
    found = share_better(losses, quantiles)
    assert found == pytest.approx(expected, abs=0.005)
    assert found.mean() == pytest.approx(0.5, abs=0.01)
    outside = share_better(np.array([exact[0] - 1, exact[0], exact[-1] + 1]), quantiles)
    assert outside == pytest.approx([0, 0, 1], abs=0.0051)
