"""The tables' numbers on runs small enough to count by hand. Optimum 0.8, worst 0.5, one random configuration 0.7."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.present.render import cells
from analysis.present.table import Table
from analysis.runs.comparison import compare
from analysis.runs.labels import EXACT
from analysis.runs.load import load
from analysis.tables.cost import cost_table
from analysis.tables.failures import failures_table
from analysis.tables.hallucination import hallucination_table
from analysis.tables.headline import headlines
from analysis.tables.instrument import random_search_check
from analysis.tables.invalid_proposals import exhibits
from analysis.tables.quality import quality_table, quality_tables
from analysis.tables.quality_by_task import quality_by_task_table
from tests.support.run_folders import OBJECTIVE, at, call, fault, trial, write_run

INVALID: dict[str, Any] = {"violations": [fault("missing", "depth")]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "quickstart"


def _run(folder: Path, method: str, seed: int, values: Sequence[float | None], **changes: Any) -> None:
    rows = [trial(i, value) if value is not None else trial(i, **INVALID) for i, value in enumerate(values)]
    write_run(folder, method, seed, rows, **changes)


def _rows(table: Table, key: str = "method") -> dict[Any, dict[str, Any]]:
    return {row[key]: row for row in table.frame.iter_rows(named=True)}


def _quality(folder: Path) -> Table:
    experiment = load(folder)
    return quality_table(experiment, compare(experiment))


def test_quality_by_hand(folder: Path) -> None:
    _run(folder, "smac", 0, [0.6, 0.75, None])  # regret 0.5
    _run(folder, "smac", 1, [0.7, 0.6, 0.65])  # regret 1
    _run(folder, "llm_chat", 0, [None, None, 0.75])  # regret 0.5, tied
    _run(folder, "llm_chat", 1, [None, None, None])  # the worst value: regret 3
    rows = _rows(_quality(folder))
    assert rows["smac"]["regret_mean"] == pytest.approx(0.75)
    assert rows["smac"]["rank_mean"] == (1.5 + 1) / 2
    assert (rows["smac"]["regret_mean_lower"], rows["smac"]["regret_mean_upper"]) == pytest.approx((0.5, 1))
    assert rows["smac"]["best.hpobench.credit_g"] == pytest.approx(0.725)
    assert rows["llm_chat"]["regret_mean"] == pytest.approx(1.75)
    assert rows["llm_chat"]["rank_mean"] == (1.5 + 2) / 2
    assert [rows[name]["runs_without_valid"] for name in ("smac", "llm_chat")] == [0, 1]
    assert rows[EXACT]["regret_mean"] == pytest.approx(0.7)  # E[best of 3] = 0.73
    assert rows[EXACT]["best.hpobench.credit_g"] == pytest.approx(0.73)


def test_the_interquartile_mean_pools_runs_and_tasks(folder: Path) -> None:
    for task, values in {"credit_g": (0.8, 0.75), "kc1": (0.7, 0.5)}.items():
        for seed, value in enumerate(values):
            _run(folder, "smac", seed, [value], task=task)
    assert _rows(_quality(folder))["smac"]["regret_iqm"] == pytest.approx(0.75)  # of 0, 0.5, 1, 3


def test_cells_of_the_exact_row_that_mean_nothing_are_dashes(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75])
    shown = cells(_quality(folder))
    exact = dict(zip(shown.headers, shown.rows[-1], strict=True))
    assert exact["method"] == EXACT
    assert exact["mean rank"] == exact["runs"] == "–"
    assert exact["mean regret"] == "1.00"


def test_one_run_has_numbers_but_no_intervals(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75])
    row = _rows(_quality(folder))["smac"]
    assert (row["regret_mean"], row["rank_mean"], row["regret_mean_lower"]) == (pytest.approx(0.5), 1, None)
    assert "not measured" in cells(_quality(folder)).rows[0]


@pytest.mark.parametrize(
    "changes",
    [{"random_search_curve": None}, {"objectives": [OBJECTIVE | {"optimum": None}]}],
    ids=["curve", "optimum"],
)
def test_an_unknown_scale_leaves_the_reported_values(folder: Path, changes: dict[str, Any]) -> None:
    _run(folder, "smac", 0, [0.6, 0.75], **changes)
    _run(folder, "random_search", 0, [0.6, 0.7], **changes)
    table = _quality(folder)
    row = _rows(table)["smac"]
    assert row["regret_mean"] is None
    assert (row["best.hpobench.credit_g"], row["rank_mean"]) == (0.75, 1)
    assert any("is unknown for hpobench.credit_g" in note for note in table.notes)
    experiment = load(folder)
    assert random_search_check(experiment, compare(experiment)) == (), "there is nothing to check against"


def test_regret_means_rest_on_the_tasks_where_it_is_known(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75])
    _run(folder, "smac", 0, [0.9], task="kc1", objectives=[OBJECTIVE | {"optimum": None}])
    table = _quality(folder)
    assert _rows(table)["smac"]["regret_mean"] == pytest.approx(0.5)
    assert any("regret is over 1 of 2" in note for note in table.notes)


def test_no_valid_configuration_and_no_worst_value_is_not_measured(folder: Path) -> None:
    unknown = {"objectives": [OBJECTIVE | {"worst": None}]}
    _run(folder, "smac", 0, [0.75], **unknown)
    _run(folder, "smac", 1, [0.75], **unknown)
    _run(folder, "llm_chat", 0, [None], **unknown)
    _run(folder, "llm_chat", 1, [0.8], **unknown)
    row = _rows(_quality(folder))["llm_chat"]
    assert (row["regret_mean"], row["regret_iqm"], row["best.hpobench.credit_g"]) == (None, None, None)
    assert row["rank_mean"] == 1.5


def test_only_shared_seeds_are_compared_and_the_note_says_so(folder: Path) -> None:
    for seed, value in enumerate([0.8, 0.7, 0.6]):
        _run(folder, "smac", seed, [value])
    for seed in (1, 2, 3):
        _run(folder, "llm_chat", seed, [0.75])
    table = _quality(folder)
    assert _rows(table)["smac"]["regret_mean"] == pytest.approx(1.5)  # of seeds 1 and 2
    assert _rows(table)["smac"]["runs"] == 2
    assert any("left out (0, 3); used: 1, 2" in note for note in table.notes)


def test_methods_without_a_common_seed_or_task_are_not_compared(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75])
    _run(folder, "llm_chat", 1, [0.75])
    table = _quality(folder)
    assert [row["regret_mean"] for row in table.frame.iter_rows(named=True)] == [None, None]
    assert any("nothing can be compared" in note for note in table.notes)


def test_a_task_that_one_method_lacks_is_left_to_the_table_by_task(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75])
    _run(folder, "smac", 0, [0.8], task="kc1")
    _run(folder, "llm_chat", 0, [0.7])
    experiment = load(folder)
    comparison = compare(experiment)
    assert _rows(quality_table(experiment, comparison))["smac"]["regret_mean"] == pytest.approx(0.5)
    by_task = quality_by_task_table(experiment, comparison).frame.filter(task="hpobench.kc1")
    assert by_task["method"].to_list() == ["smac", EXACT]
    assert by_task["best_mean"].to_list() == [0.8, 0.7]


def test_hallucination_by_hand(folder: Path) -> None:
    rows = [
        trial(0, 0.7),
        trial(1, violations=[fault("missing", "depth"), fault("missing", "alpha"), fault("unknown", "x", 1)]),
        trial(2, violations=[fault("unparseable")]),
        trial(3, 0.7, duplicate_of=0),
        trial(4, 0.7, repair="clamp", violations=[fault("out_of_range", "depth", 99)]),
    ]
    write_run(folder, "llm_chat", 0, rows)
    write_run(folder, "llm_chat", 1, [trial(0, 0.7), trial(1, executed={}, error="ValueError: boom")])
    table = hallucination_table(load(folder))
    row = _rows(table)["llm_chat"]
    assert (row["runs"], row["proposals"], row["invalid"]) == (2, 7, pytest.approx(3 / 7))
    assert row["proposals_per_valid"] == 7 / 4
    assert row["duplicates"] == 1 / 7
    assert [row[kind] for kind in ("missing", "unknown", "unparseable", "out_of_range")] == [1 / 7] * 4
    assert [row[kind] for kind in ("truncated", "wrong_type", "not_a_choice", "inactive", "forbidden")] == [0] * 5
    assert (row["invalid_lower"], row["invalid_upper"]) == (0, 0.6)  # both draws the same run
    assert any("llm_chat: 1" in note for note in table.notes)


def test_what_is_nothing_new_by_hand(folder: Path) -> None:
    """A prompt that shows one configuration; the proposals: new, that one, its neighbour, and a refusal."""
    shown = [{"role": "user", "content": 'These were tried:\n1. {"alpha": 0.5, "depth": 2} score = 0.7'}]
    replies = ["so: {}", "so: {}", "so: {}", "I\u2019m sorry, but I cannot."]
    calls = [call(number, reply, messages=shown) for number, reply in enumerate(replies)]
    rows = [
        trial(0, 0.7, near_duplicate_of=None, calls=[0], proposed={"depth": 1, "alpha": 0.5}),
        trial(1, 0.7, near_duplicate_of=None, calls=[1], proposed={"depth": 2.0, "alpha": 0.5}),
        trial(2, 0.7, near_duplicate_of=1, calls=[2], proposed={"depth": 2, "alpha": 0.501}),
        trial(3, near_duplicate_of=None, calls=[3], proposed=None, violations=[fault("unparseable")]),
        trial(4, 0.7, near_duplicate_of=None),  # a start that nobody asked a model for
    ]
    write_run(folder, "llm_chat", 0, rows, calls)
    write_run(folder, "smac", 0, [trial(0, 0.7, near_duplicate_of=None), trial(1, 0.7, near_duplicate_of=0)])
    write_run(folder, "llm_tpe", 0, [trial(0, 0.7, calls=[0]), trial(1, 0.7, calls=[1])])  # without calls.jsonl
    table = hallucination_table(load(folder))
    keys = ("near_duplicates", "copies", "refusals")
    found = {method: [row[key] for key in keys] for method, row in _rows(table).items()}
    assert found == {"llm_chat": [0.2, 0.2, 0.2], "smac": [0.5, None, None], "llm_tpe": [None, None, None]}
    shown_cells = cells(table)
    by_method = {line[0]: dict(zip(shown_cells.headers, line, strict=True)) for line in shown_cells.rows}
    assert [by_method["smac"][f"{name} (%)"] for name in ("copies", "refusals")] == ["–", "–"]
    assert [by_method["llm_tpe"][f"{name} (%)"] for name in ("copies", "refusals")] == ["not measured"] * 2
    assert by_method["llm_chat"]["copies (%)"] == "20.0"


def test_a_method_without_any_valid_proposal_needs_infinitely_many(folder: Path) -> None:
    _run(folder, "llm_chat", 0, [None, None])
    shown = cells(hallucination_table(load(folder)))
    row = dict(zip(shown.headers, shown.rows[0], strict=True))
    assert (row["invalid (%)"], row["proposals per valid one"]) == ("100", "∞")


def _usage(cached: int | None, seconds: float) -> dict[str, Any]:
    return {"calls": 2, "prompt_tokens": 100, "cached_tokens": cached, "completion_tokens": 10, "seconds": seconds}


def test_cost_by_hand(folder: Path) -> None:
    for seed, factor in enumerate((1, 3)):
        rows = [
            trial(0, 0.7, usage=_usage(50, 0.2), ask_seconds=0.5),
            trial(1, usage=_usage(50, 0.2 * factor), ask_seconds=1.0, **INVALID),
        ]
        calls = [call(0, "{}", seconds=0.2, started_at=at(0)), call(1, "{}", seconds=0.2 * factor, started_at=at(9))]
        write_run(folder, "llm_chat", seed, rows, calls)
    row = _rows(cost_table(load(folder)))["llm_chat"]
    assert [row[key] for key in ("calls", "prompt_tokens", "cached_tokens", "completion_tokens")] == [4, 200, 100, 20]
    assert row["llm_seconds"] == pytest.approx((0.4 + 0.8) / 2)
    assert row["waited_seconds"] == pytest.approx((0.4 + 0.8) / 2)
    assert row["optimizer_seconds"] == pytest.approx((1.1 + 0.7) / 2)
    assert (row["in_flight"], row["most_in_flight"]) == (pytest.approx(1), 1)
    assert row["tokens_per_second"] == pytest.approx(40 / 1.2)
    assert row["evaluation_seconds"] == 2
    assert row["energy_joules"] is None


def test_a_cost_with_an_unknown_part_is_not_measured(folder: Path) -> None:
    unrecorded = trial(0, 0.7, usage=_usage(None, 3.0) | {"reasoning_tokens": None}, ask_seconds=1.0)
    write_run(folder, "llm_chat", 0, [unrecorded, trial(1, 0.7, evaluation_seconds=None)])
    write_run(folder, "llm_chat", 1, [trial(0, 0.7)])
    table = cost_table(load(folder))
    row = _rows(table)["llm_chat"]
    unknown = ("cached_tokens", "reasoning_tokens", "waited_seconds", "optimizer_seconds", "evaluation_seconds")
    assert [row[key] for key in unknown] == [None] * 5
    assert row["llm_seconds"] == 1.5


def test_calls_of_one_ask_that_overlap(folder: Path) -> None:
    """Two batches: 0 to 2 s with two calls, 5 to 6 s with three, one of which begins late."""
    spans = [(0, 2), (0, 1.5), (5, 1), (5, 0.5), (5.5, 0.5)]
    calls = [call(number, "{}", seconds=length, started_at=at(start)) for number, (start, length) in enumerate(spans)]
    rows = [trial(0, 0.7, usage=_usage(0, 3.5), ask_seconds=2.25), trial(1, 0.7, usage=_usage(0, 2), ask_seconds=1.25)]
    write_run(folder, "llm_chat", 0, rows, calls)
    row = _rows(cost_table(load(folder)))["llm_chat"]
    assert (row["waited_seconds"], row["optimizer_seconds"], row["most_in_flight"]) == (3, 0.5, 2)
    assert row["in_flight"] == pytest.approx(5.5 / 3)
    assert row["tokens_per_second"] == pytest.approx(20 / 3)


def test_what_a_method_without_calls_has_no_use_for(folder: Path) -> None:
    write_run(folder, "smac", 0, [trial(0, 0.7)])
    shown = cells(cost_table(load(folder)))
    row = dict(zip(shown.headers, shown.rows[0], strict=True))
    assert {row[header] for header in ("waiting (s)", "in flight", "max. in flight", "tokens (1/s)")} == {"–"}
    assert row["optimizer (s)"] == "0.250"


def test_candidates_are_counted_apart_and_each_can_be_read(folder: Path) -> None:
    def drawn(number: int, *faults: str) -> dict[str, Any]:
        violations = [fault(kind, "depth", 16) for kind in faults]
        return {"proposed": {"depth": 16}, "violations": violations, "call": number, "score": None, "note": None}

    rows = [
        trial(0, 0.7, calls=[2], candidates=[drawn(1, "unknown"), drawn(2), drawn(3, "out_of_range", "unknown")]),
        trial(1, calls=[4], proposed={"depth": 16}, candidates=[drawn(4, "out_of_range")], **INVALID),
    ]
    write_run(folder, "llm_chat", 0, rows, [call(number, f"reply {number}") for number in range(5)])
    write_run(folder, "smac", 0, [trial(0, 0.7)])
    experiment = load(folder)
    table = hallucination_table(experiment)
    row = _rows(table)["llm_chat"]
    assert (row["candidates"], row["candidates_invalid"]) == (4, 0.75)
    assert (row["proposals"], row["invalid"]) == (2, 0.5)
    assert cells(table).rows[[line[0] for line in cells(table).rows].index("smac")][-2:] == ("–", "–")
    found = [(item.index, item.candidate, item.calls, item.replies[0].text) for item in exhibits(experiment)]
    assert found == [(0, 0, (1,), "reply 1"), (0, 2, (3,), "reply 3"), (1, None, (4,), "reply 4")]


def test_a_lower_fidelity_finds_nothing(folder: Path) -> None:
    """Losses below the highest fidelity are no results: the incumbent is the best of the others."""
    write_run(folder, "hyperband", 0, [trial(0, 0.79, fidelity={"steps": 1}), trial(1, 0.6)])
    experiment = load(folder)
    assert experiment.trials["loss"].to_list() == [None, -0.6]


def test_a_failed_evaluation_has_no_time_but_does_not_hide_the_others(folder: Path) -> None:
    write_run(folder, "smac", 0, [trial(0, 0.7), trial(1, executed={"depth": 1}, error="MemoryError: boom")])
    table = cost_table(load(folder))
    assert _rows(table)["smac"]["evaluation_seconds"] == 2
    assert any("Failed evaluations" in note for note in table.notes)


def test_the_time_of_a_failed_evaluation_counts(folder: Path) -> None:
    stopped = trial(1, executed={"depth": 1}, error="Out of time: stopped after 30 s.", evaluation_seconds=30.0)
    write_run(folder, "smac", 0, [trial(0, 0.7), stopped])
    table = cost_table(load(folder))
    assert _rows(table)["smac"]["evaluation_seconds"] == 32
    assert not any("Failed evaluations" in note for note in table.notes)


def test_failures_by_hand(folder: Path) -> None:
    errors = ["ValueError: b\nTraceback", "ValueError: b", "a\u202e", "c", "d", ""]
    rows = [trial(i, executed={"depth": 1}, error=error) for i, error in enumerate(errors)]
    rows += [trial(6, 0.7), trial(7, 0.7), trial(8, **INVALID)]
    write_run(folder, "smac", 0, rows)
    write_run(folder, "random_search", 0, [trial(0, 0.7)])
    table = failures_table(load(folder))
    assert table is not None
    (row,) = table.frame.iter_rows(named=True)
    assert [row[key] for key in ("method", "evaluations", "failed", "share")] == ["smac", 8, 6, 0.75]
    assert row["reasons"] == "ValueError: b (2); a⟨U+202E⟩ (1); c (1); others (2)"


def test_no_failure_no_table(folder: Path) -> None:
    _run(folder, "smac", 0, [0.7, None])
    assert failures_table(load(folder)) is None


def test_random_search_is_checked_against_its_expectation(folder: Path) -> None:
    for seed, value in enumerate([0.70, 0.72, 0.74]):  # E[best of 2] = 0.72
        _run(folder, "random_search", seed, [0.6, value])
    experiment = load(folder)
    (sentence,) = random_search_check(experiment, compare(experiment))
    assert "it agrees with its exact expectation; expected regret 0.800, observed mean 0.800 over 3 runs" in sentence


def test_a_random_search_with_a_start_is_not_on_the_curve(folder: Path) -> None:
    for seed, value in enumerate([0.70, 0.72, 0.74]):
        _run(folder, "random_search+start=default", seed, [0.6, value])
    experiment = load(folder)
    assert random_search_check(experiment, compare(experiment)) == ()


def test_a_wrong_random_search_is_noticed(folder: Path) -> None:
    for task in ("credit_g", "kc1"):
        for seed, value in enumerate([0.790, 0.791, 0.792]):
            _run(folder, "random_search", seed, [0.6, value], task=task)
    experiment = load(folder)
    sentences = random_search_check(experiment, compare(experiment))
    assert ["all 2 tasks" in sentences[0], len(sentences)] == [True, 3]
    assert all("DOES NOT AGREE" in sentence for sentence in sentences)


def test_headlines_are_made_from_the_numbers(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75, 0.75])
    _run(folder, "llm_chat", 0, [None, 0.7])
    experiment = load(folder)
    quality = quality_table(experiment, compare(experiment))
    (sentence,) = headlines(experiment, quality, hallucination_table(experiment))
    assert sentence.startswith("llm_chat: 50.0 % [")
    assert "of its 2 proposals were invalid; its hallucination rate is 0 % [" in sentence
    assert "Its final regret is 1.00, versus 0.500 for smac and 0.800 for" in sentence


def test_headlines_without_a_language_model_and_without_regret(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75], random_search_curve=None)
    _run(folder, "sobol", 0, [0.7], random_search_curve=None)
    assert _headlines(folder) == (
        "No method uses a language model. smac is best: its final regret is not measured, its mean rank is 1.00.",
    )


def test_a_method_alone_is_not_the_best_of_one(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75])
    assert _headlines(folder) == ("No method uses a language model. smac was run alone: its final regret is 0.500.",)


def test_exact_ties_are_said(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75])
    _run(folder, "sobol", 0, [0.6, 0.75][1:])
    _run(folder, "tpe", 0, [0.6])
    assert _headlines(folder) == (
        "No method uses a language model. smac and sobol are tied as best, with a mean regret of 0.500.",
    )
    _run(folder, "llm_chat", 0, [0.7])
    (sentence,) = _headlines(folder)
    assert sentence.endswith(
        "Its final regret is 1.00, versus 0.500 for smac, 0.500 for sobol and 1.00 for " + EXACT + "."
    )


def test_ties_by_rank_are_said_where_regret_is_unknown(folder: Path) -> None:
    for method in ("smac", "sobol"):
        _run(folder, method, 0, [0.75], random_search_curve=None)
    (sentence,) = _headlines(folder)
    assert sentence.endswith("smac and sobol are tied as best, with a mean rank of 1.50.")


def test_where_every_evaluation_failed_no_method_is_best(folder: Path) -> None:
    failed = [trial(i, executed={"depth": 1}, error="ValueError: boom") for i in range(3)]
    for method in ("smac", "sobol"):
        write_run(folder, method, 0, failed)
    said = _headlines(folder)
    assert said[-1] == "No method uses a language model. No method is best, because nothing was measured."
    assert (
        said[0]
        == "smac: no result in any of its 1 runs, because all of its 3 evaluations failed: ValueError: boom (3)."
    )
    for row in _quality(folder).frame.iter_rows(named=True):
        if row["method"] != EXACT:
            assert (row["regret_mean"], row["rank_mean"], row["best.hpobench.credit_g"]) == (None, None, None)


def test_a_method_without_any_result_is_not_the_worst_value(folder: Path) -> None:
    """No row supports a number: neither its regret nor its best value is one. Beside other runs, regret is charged."""
    for seed in (0, 1):
        _run(folder, "smac", seed, [0.75])
        _run(folder, "llm_chat", seed, [None])
        _run(folder, "llm_chat+decoding=json_schema", seed, [None if seed else 0.7])
    table = _quality(folder)
    rows = _rows(table)
    assert (rows["llm_chat"]["regret_mean"], rows["llm_chat"]["best.hpobench.credit_g"]) == (None, None)
    assert (rows["llm_chat"]["runs_without_valid"], rows["llm_chat"]["rank_mean"]) == (2, 2.75)
    some = rows["llm_chat+decoding=json_schema"]
    assert (some["regret_mean"], some["best.hpobench.credit_g"]) == (pytest.approx(2), None)
    assert any("(llm_chat: 2 of 2, llm_chat+decoding=json_schema: 1 of 2)" in note for note in table.notes)
    assert _headlines(folder)[0] == (
        "llm_chat: no result in any of its 2 runs, because none of its 2 proposals was evaluated."
    )


def test_methods_that_cannot_be_compared_are_not_ranked(folder: Path) -> None:
    _run(folder, "smac", 0, [0.75])
    _run(folder, "sobol", 1, [0.7])
    assert _headlines(folder)[-1].endswith("No method is best, because no runs can be compared.")


def test_methods_that_share_no_task_are_compared_where_they_ran_the_same_ones(folder: Path) -> None:
    for method, task in (("smac", "a"), ("sobol", "a"), ("smac", "b"), ("sobol", "b"), ("tpe", "c"), ("smac", "c")):
        _run(folder, method, 0, [0.75], task=task)
    experiment = load(folder)
    first, second = quality_tables(experiment, compare(experiment))
    assert (first.name, first.title) == ("quality", "Quality: final normalized regret, hpobench.a, hpobench.b")
    assert (second.name, second.title) == ("quality_2", "Quality: final normalized regret, hpobench.c")
    assert list(first.frame["method"])[:2] == ["smac", "sobol"]
    assert list(second.frame["method"])[:2] == ["smac", "tpe"]
    assert first.frame["runs"][0] == 2
    assert "one of 2 tables" in second.notes[0]
    said = headlines(experiment, second, hallucination_table(experiment))
    assert "sobol" not in " ".join(said), "it is not in that table"


def _headlines(folder: Path) -> tuple[str, ...]:
    experiment = load(folder)
    return headlines(experiment, quality_table(experiment, compare(experiment)), hallucination_table(experiment))
