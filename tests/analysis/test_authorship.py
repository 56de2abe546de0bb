"""Whose result is it? Repetition, the model's share of proposals and incumbents, and the methods that are marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.present.render import cells, comma_separated, latex, markdown
from analysis.present.table import MARK, Table
from analysis.runs.comparison import compare
from analysis.runs.load import load
from analysis.tables.hallucination import hallucination_table
from analysis.tables.headline import headlines
from analysis.tables.quality import quality_table
from optimizers.centaur import Centaur
from optimizers.llinbo.llinbo import LLINBO
from optimizers.llm_chat import LLMChat
from tests.optimizers.test_proposers import WORST, play
from tests.support.run_folders import TIME, fault, trial, write_run

SCORE = {"name": "score", "direction": "maximize", "optimum": -0.01, "worst": -0.83}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "whose"


def _quality(folder: Path) -> Table:
    experiment = load(folder)
    return quality_table(experiment, compare(experiment))


def _row(folder: Path, method: str = "llm_chat") -> dict[str, Any]:
    return next(row for row in _quality(folder).frame.iter_rows(named=True) if row["method"] == method)


def rows(*found: tuple[str | None, int, float | None], **changes: Any) -> list[dict[str, Any]]:
    """Trials of a proposer, a depth and a value each."""
    return [
        trial(index, value, proposer=proposer, executed=None if value is None else {"depth": depth}, **changes)
        for index, (proposer, depth, value) in enumerate(found)
    ]


def test_shares_by_hand(folder: Path) -> None:
    first = rows(("start", 1, 0.6), ("model", 1, 0.6), ("model", 2, 0.7), ("random", 2, 0.7))
    second = rows(("start", 1, 0.6), ("random", 3, 0.65), ("model", 4, 0.5), ("model", 4, 0.5))
    write_run(folder, "llm_chat", 0, first)
    write_run(folder, "llm_chat", 1, second)
    row = _row(folder)
    assert row["repeated"] == 3 / 8, "whoever proposed it first"
    assert row["model_share"] == 4 / 8
    assert row["model_best"] == 1 / 2, "the first to propose it has it"


def test_a_model_that_repeats_the_start_found_nothing(folder: Path) -> None:
    write_run(folder, "llm_chat", 0, rows(("start", 1, 0.7), *[("model", 1, 0.7)] * 11))
    row = _row(folder)
    assert (row["repeated"], row["model_share"], row["model_best"]) == (11 / 12, 11 / 12, 0)


def test_what_was_never_evaluated_is_no_repetition_and_what_comes_down_to_the_same_is(folder: Path) -> None:
    never = [trial(i, None, proposer="model", violations=[fault("missing", "depth")], duplicate_of=0) for i in (0, 1)]
    snapped = [
        trial(index, 0.7, proposer="model", executed={"alpha": alpha}, evaluated={"alpha": 0.1})
        for index, alpha in ((2, 0.1001), (3, 0.1002))
    ]
    failed = [trial(4, 0.7, proposer="model", executed={"alpha": 9}, losses=None, metrics=None, error="diverged")]
    failed.append(failed[0] | {"index": 5})
    cheap = trial(6, 0.7, proposer="model", executed={"alpha": 0.1}, evaluated={"alpha": 0.1}, fidelity={"epochs": 3.0})
    write_run(folder, "llm_chat", 0, [*never, *snapped, *failed, cheap])
    assert _row(folder)["repeated"] == 2 / 7


def test_what_a_repair_found_is_not_the_models(folder: Path) -> None:
    repaired = {"repair": "random", "violations": [fault("missing", "depth")]}
    write_run(folder, "llm_chat", 0, [trial(0, 0.7, proposer="model"), trial(1, 0.75, proposer="model", **repaired)])
    row = _row(folder)
    assert (row["model_share"], row["model_best"]) == (1, 0)


def test_rows_that_do_not_say_who_are_not_measured(folder: Path) -> None:
    old = rows(("model", 1, 0.7), ("model", 2, 0.6))
    del old[1]["proposer"]
    write_run(folder, "llm_chat", 0, old)
    row = _row(folder)
    assert (row["repeated"], row["model_share"], row["model_best"]) == (0, None, 1)
    assert not _quality(folder).marked
    (sure,) = [line for line in markdown(_quality(folder)).splitlines() if "llm" in line]
    assert "not measured" in sure


def test_without_any_result_there_is_no_incumbent_to_share(folder: Path) -> None:
    write_run(folder, "llm_chat", 0, rows(("model", 1, None), ("model", 2, None)))
    row = _row(folder)
    assert (row["model_share"], row["model_best"]) == (1, None)


def test_methods_without_a_model_have_no_such_share_and_without_any_there_is_no_column(folder: Path) -> None:
    write_run(folder, "random_search", 0, rows(("random", 1, 0.7), ("random", 1, 0.7)))
    assert "by the model (%)" not in cells(_quality(folder)).headers
    assert _row(folder, "random_search")["repeated"] == 0.5
    write_run(folder, "llm_chat", 0, rows(("model", 1, 0.7), ("model", 2, 0.7)))
    shown = cells(_quality(folder))
    place = shown.headers.index("by the model (%)")
    assert [row[place] for row in shown.rows] == ["–", "100", "–"]


def played(folder: Path, method: str, trials: list[dict[str, Any]]) -> None:
    trials = [row | {"started_at": TIME} for row in trials]
    write_run(folder, method, 0, trials, llm="smollm2", objectives=[SCORE], random_search_curve=[0.4] * len(trials))


def test_a_method_whose_model_had_no_part_is_marked(folder: Path) -> None:
    """Centaur's twelve proposals are its warm-up, and a Gaussian process that rejects every point of LLINBO's model."""
    played(folder, "centaur", play(Centaur, 12)[1])
    played(folder, "llinbo", play(LLINBO, 12, answer=WORST)[1])
    played(folder, "llm_chat", play(LLMChat, 12, start=True)[1])
    table = _quality(folder)
    shares = {row["method"]: (row["model_share"], row["model_best"]) for row in table.frame.iter_rows(named=True)}
    assert (shares["centaur"], shares["llinbo"]) == ((0, 0), (2 / 12, 0))
    assert shares["llm_chat"][0] == 11 / 12
    assert {table.frame["method"][number] for number in table.marked} == {"centaur", "llinbo"}
    assert [row[0] for row in cells(table).rows[:3]] == [f"centaur {MARK}", f"llinbo {MARK}", "llm_chat"]
    (note,) = [note for note in table.notes if note.startswith(MARK)]
    assert "fewer than 8 proposals per run (centaur: 0 of 12, llinbo: 2 of 12)" in note
    assert f"centaur {MARK}" in markdown(table)
    assert f"llinbo {MARK}" in latex(table)
    assert "centaur,1," in comma_separated(table), "programs find a method by its name"
    experiment = load(folder)
    said = headlines(experiment, table, hallucination_table(experiment))
    assert "Its language model contributed little: it made 16.7 % of the proposals." in said[1]
    assert "contributed little" not in said[2]


@pytest.mark.parametrize(("models", "others", "marked"), [(7, 5, True), (8, 4, False), (3, 0, False), (0, 3, True)])
def test_few_is_a_number_and_a_short_run_that_is_all_the_models_is_its_own(
    folder: Path, models: int, others: int, marked: bool
) -> None:
    found = [("classical", i, 0.6) for i in range(others)] + [("model", 20 + i, 0.7) for i in range(models)]
    write_run(folder, "llm_chat", 0, rows(("start", 0, 0.6), *found))
    assert bool(_quality(folder).marked) == marked


def test_a_start_that_is_longer_than_the_models_part_is_not_its_own(folder: Path) -> None:
    write_run(folder, "llm_chat", 0, rows(*[("start", i, 0.6) for i in range(6)], *[("model", 9, 0.7)] * 5))
    assert _quality(folder).marked


def test_a_live_dashboard_has_the_same_shares() -> None:
    from harness.trial_metrics import TrialMetrics

    metrics = TrialMetrics({"objectives": [{"name": "balanced_accuracy", "direction": "maximize"}]})
    for row in rows(("start", 1, 0.6), ("model", 1, 0.6), ("model", 2, 0.7), ("random", 3, 0.7)):
        metrics.add(row)
    running = metrics.running()
    assert (running["repeated"], running["model_share"], running["proposers/model"]) == (1, 0.5, 2)
    metrics.add(trial(4, 0.7))
    assert not {"model_share", "proposers/model"} & set(metrics.running())


def test_an_invented_proposer_is_a_damaged_row(folder: Path) -> None:
    write_run(folder, "llm_chat", 0, rows(("model", 1, 0.7)))
    write_run(folder, "llm_chat", 1, rows(("oracle", 1, 0.7)))
    (damaged,) = load(folder).damaged
    assert 'proposer is "oracle"' in damaged
