"""The table of probes, against numbers by hand."""

from __future__ import annotations

import pytest

from analysis.report.outputs import publish
from analysis.runs.load import load
from analysis.stats.material import Material
from analysis.tables.memory import memory_findings
from tests.support.run_folders import CURVE, OBJECTIVE, fault, trial, write_run

ONE_RANDOM = 0.8 + CURVE[0]  # regret 1 is the expectation of one random configuration, 0.7; regret 0 is 0.8


def runs(folder, method, values, invalid=0, task="credit_g", **changes):
    """One run of four proposals a value, seeds from 0: the value is its best; some proposals of each are invalid."""
    for seed, value in enumerate(values):
        rows = [trial(index, None, violations=[fault("missing", "depth")]) for index in range(invalid)]
        rows += [trial(index, value - 0.01 * (3 - index)) for index in range(invalid, 4)]
        write_run(folder, method, seed, rows, task=task, **changes)


def findings(folder):
    experiment = load(folder)
    return memory_findings(Material(experiment))


def chat(folder):
    for task in ("credit_g", "kc1"):
        runs(folder, "llm_chat+decoding=json_schema", [0.78, 0.79, 0.77], task=task)
        runs(folder, "llm_chat+decoding=json_schema+probe=blind", [0.73, 0.75, 0.71], 1, task)
        runs(folder, "llm_chat+decoding=json_schema+probe=warped", [0.77, 0.80, 0.77], task=task)
        runs(folder, "random_search", [0.72, 0.76, 0.74], task=task)
        runs(folder, "random_search+probe=blind", [0.76, 0.74, 0.72], task=task)
    return folder


def test_each_method_is_compared_with_itself(tmp_path):
    (table,) = findings(chat(tmp_path / "e")).tables
    rows = {(row["method"], row["probe"]): row for row in table.frame.iter_rows(named=True)}
    assert list(rows) == [
        ("random_search", "blind"),
        ("llm_chat+decoding=json_schema", "blind"),
        ("llm_chat+decoding=json_schema", "warped"),
    ]
    blind = rows["llm_chat+decoding=json_schema", "blind"]
    assert (blind["tasks"], blind["runs"], blind["measure"]) == (2, 6, "regret")
    assert blind["base"] == pytest.approx((0.8 - 0.78) / ONE_RANDOM)
    assert blind["variant"] == pytest.approx((0.8 - 0.73) / ONE_RANDOM)
    assert blind["difference"] == pytest.approx(0.05 / ONE_RANDOM)
    assert 0.4 <= blind["difference_lower"] < 0.5 < blind["difference_upper"] <= 0.6
    assert [blind[f"invalid_{key}"] for key in ("base", "variant", "difference")] == [0, 0.25, 0.25]
    control = rows["random_search", "blind"]
    assert control["difference"] == pytest.approx(0, abs=1e-12)
    assert control["difference_lower"] < 0 < control["difference_upper"]


def test_a_sentence_for_each_method_that_has_a_model(tmp_path):
    (sentence,) = findings(chat(tmp_path / "e")).said
    assert sentence.startswith("llm_chat+decoding=json_schema: ")
    assert "0.500 [" in sentence
    assert "with probe=blind" in sentence
    assert sentence.endswith("(positive: worse); the interval excludes 0 with blind.")


def test_without_an_interval_nothing_is_called_sure(tmp_path):
    runs(tmp_path / "e", "llm_chat", [0.78])
    runs(tmp_path / "e", "llm_chat+probe=permuted", [0.73])
    found = findings(tmp_path / "e")
    assert found.said[0].endswith("by 0.500 with probe=permuted (positive: worse).")
    assert any("nothing can be learned" in note for note in found.tables[0].notes)


def test_loss_where_no_regret_is_known(tmp_path):
    unknown = {"objectives": [OBJECTIVE | {"optimum": None}], "random_search_curve": None}
    runs(tmp_path / "e", "llm_chat", [0.78, 0.77], **unknown)
    runs(tmp_path / "e", "llm_chat+probe=no_task", [0.75, 0.74], **unknown)
    (row,) = findings(tmp_path / "e").tables[0].frame.iter_rows(named=True)
    assert row["measure"] == "loss (balanced_accuracy)"
    assert row["difference"] == pytest.approx(0.03)


def test_nothing_is_shown_without_the_plain_runs(tmp_path):
    runs(tmp_path / "e", "llm_chat+probe=blind", [0.78])
    runs(tmp_path / "e", "llm_chat+probe=warped", [0.78])
    assert findings(tmp_path / "e") == findings(tmp_path / "e").__class__()


def test_no_shared_seed_is_not_measured(tmp_path):
    runs(tmp_path / "e", "llm_chat", [0.78])
    rows = [trial(0, 0.7)]
    write_run(tmp_path / "e", "llm_chat+probe=blind", 7, rows)
    found = findings(tmp_path / "e")
    assert found.said == ()
    (row,) = found.tables[0].frame.iter_rows(named=True)
    assert (row["runs"], row["difference"]) == (0, None)


def test_the_report_has_it(tmp_path, capsys):
    publish(chat(tmp_path / "e"), tmp_path / "out")
    assert (tmp_path / "out/tables/memory.md").read_text().startswith("## Effect of memory: plain versus probed tasks")
    assert "hiding what could be remembered" in " ".join(capsys.readouterr().out.split())
