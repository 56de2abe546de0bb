"""Reading run folders: what counts, what is left out, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.__main__ import main
from analysis.runs.load import describe_incomplete, load
from harness.errors import RunError, SettingError
from harness.scalars import finite
from tests.support.run_folders import fault, trial, write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "quickstart"


def test_one_row_a_trial_with_what_the_tables_need(folder: Path) -> None:
    rows = [
        trial(0, 0.7),
        trial(1, violations=[fault("missing", "depth"), fault("missing", "alpha"), fault("unknown", "x", 1)]),
        trial(2, 0.6, repair="clamp", violations=[fault("out_of_range", "depth", 99)], duplicate_of=0),
        trial(3, executed={"depth": 1}, error="ValueError: boom"),
        trial(4, executed={"depth": 1}, losses={"balanced_accuracy": "NaN"}),
    ]
    write_run(folder, "smac", 3, rows)
    experiment = load(folder)
    trials = experiment.trials
    assert trials["loss"].to_list() == [-0.7, None, -0.6, None, None]
    assert trials["invalid"].to_list() == [False, True, True, False, False]
    assert trials["executed"].to_list() == [True, False, True, True, True]
    assert trials["failed"].to_list() == [False, False, False, True, False]
    assert trials["duplicate"].to_list() == [False, False, True, False, False]
    assert trials["faults"].to_list() == [[], ["missing", "unknown"], ["out_of_range"], [], []]
    assert set(trials["run"]) == {"hpobench.credit_g/smac/3"}
    assert set(trials["seed"]) == {3}
    assert [proposal.row["index"] for proposal in experiment.invalid] == [1, 2]


def test_methods_without_a_language_model_come_first(folder: Path) -> None:
    for method in ("llm_chat", "smac", "llm_chat+decoding=json_schema", "random_search"):
        write_run(folder, method, 0, [trial(0, 0.7)])
    assert load(folder).methods == ("random_search", "smac", "llm_chat", "llm_chat+decoding=json_schema")


def test_incomplete_runs_are_left_out_and_named(folder: Path) -> None:
    write_run(folder, "smac", 0, [trial(0, 0.7)])
    write_run(folder, "smac", 1, [], status="running")
    write_run(folder, "smac", 2, [trial(0, 0.7)], status="failed")
    experiment = load(folder)
    assert [run.seed for run in experiment.runs] == [0]
    sentence = describe_incomplete(experiment.incomplete)
    assert sentence is not None
    assert sentence.startswith("2 runs are not complete")
    assert "hpobench.credit_g/smac/1 (running)" in sentence
    assert "hpobench.credit_g/smac/2 (failed)" in sentence
    assert describe_incomplete(()) is None


def test_hidden_folders_are_not_runs(folder: Path) -> None:
    write_run(folder, "smac", 0, [trial(0, 0.7)])
    write_run(folder / ".sweep", "smac", 0, [trial(0, 0.7)])
    write_run(folder, ".smac", 0, [trial(0, 0.7)])
    assert len(load(folder).runs) == 1


def test_a_torn_last_line_is_damage_and_no_trial(folder: Path) -> None:
    run = write_run(folder, "smac", 0, [trial(0, 0.7)])
    write_run(folder, "smac", 1, [trial(0, 0.8)])
    with (run / "trials.jsonl").open("a", encoding="ascii") as file:
        file.write('{"index": 1, "propo')
    experiment = load(folder)
    assert [each.seed for each in experiment.runs] == [1]
    assert experiment.trials.height == 1
    (sentence,) = experiment.damaged
    assert sentence.startswith(f"{run} is recorded as complete, but the last line of trials.jsonl is truncated")
    assert sentence.endswith("repeat the command that made it: it continues from there.")


def test_damaged_runs_are_all_named_and_the_rest_is_analyzed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(4):
        write_run(folder, "smac", seed, [trial(0, 0.7), trial(1, 0.6 + seed / 100)])
    for seed in (0, 2):
        path = folder / f"hpobench.credit_g/smac/{seed}/trials.jsonl"
        path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    (folder / "hpobench.credit_g/smac/1/run.json").write_text("[1]")
    assert main([str(folder), "--output", str(folder.parent / "out")]) == 1
    told = capsys.readouterr()
    said = "".join(told.out.split())
    for seed in (0, 2):
        sentence = f"smac/{seed} is recorded as complete, but line 1 of trials.jsonl is trial 1 instead of 0"
        assert "".join(sentence.split()) in said
    assert "smac/1/run.json" in said
    assert (
        told.err
        == "3 runs are damaged and were left out; see the sentences before the tables for the runs and their repair.\n"
    )
    assert [run.seed for run in load(folder).runs] == [3]
    (folder / "hpobench.credit_g/smac/3/trials.jsonl").unlink()
    assert main([str(folder)]) == 2
    assert "None of the 4 runs" in capsys.readouterr().err


def test_a_misspelt_experiment_names_the_nearest(folder: Path) -> None:
    write_run(folder, "smac", 0, [trial(0, 0.7)])
    with pytest.raises(SettingError, match="did you mean 'quickstart'"):
        load(folder.parent / "quickstrat")


def test_the_folder_above_names_its_experiments(folder: Path) -> None:
    write_run(folder, "smac", 0, [trial(0, 0.7)])
    with pytest.raises(RunError, match="give one of its experiments: quickstart"):
        load(folder.parent)


def test_empty_and_absent_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parents[1])
    with pytest.raises(RunError, match="There is no folder"):
        load(folder)
    folder.parent.mkdir(parents=True)
    with pytest.raises(RunError, match="no experiments yet"):
        load(folder)
    folder.mkdir()
    with pytest.raises(RunError, match="holds no runs"):
        load(folder)


def test_nothing_complete(folder: Path) -> None:
    write_run(folder, "smac", 0, [trial(0, 0.7)], status="running")
    with pytest.raises(RunError, match="None of the 1 runs"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 3}, "schema 3, this version reads 2; use the version that wrote it"),
        ({"schema": 1}, "earlier version .*python -m harness.migrate"),
        ({"schema": None}, "schema None"),
    ],
)
def test_another_schema_is_refused(folder: Path, change: dict[str, Any], message: str) -> None:
    write_run(folder, "smac", 0, [trial(0, 0.7)], **change)
    with pytest.raises(RunError, match=message):
        load(folder)


def test_damaged_runs_are_refused_in_a_sentence(folder: Path) -> None:
    run = write_run(folder, "smac", 0, [trial(0, 0.7)])
    info = json.loads((run / "run.json").read_text())
    del info["objectives"]
    (run / "run.json").write_text(json.dumps(info))
    with pytest.raises(RunError, match="lacks objectives"):
        load(folder)
    (run / "run.json").write_text("{")
    with pytest.raises(RunError, match="is not JSON"):
        load(folder)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({key: value for key, value in trial(0, 0.7).items() if key != "usage"}, "lacks 'usage'"),
        (trial(0, losses={"accuracy": 0.5}), "lacks 'balanced_accuracy'"),
        (trial(0, violations=[fault("hallucinated")]), "'hallucinated' is not a valid Fault"),
    ],
)
def test_damaged_trials_are_refused_in_a_sentence(folder: Path, row: dict[str, Any], message: str) -> None:
    write_run(folder, "smac", 0, [row])
    with pytest.raises(RunError, match=message):
        load(folder)


def test_a_complete_run_without_trials_is_refused(folder: Path) -> None:
    write_run(folder, "smac", 0, [])
    with pytest.raises(RunError, match="has no trials"):
        load(folder)


def test_a_copied_run_is_refused(folder: Path) -> None:
    run = write_run(folder, "smac", 0, [trial(0, 0.7)])
    (run.parent / "0 (copy)").mkdir()
    for name in ("run.json", "trials.jsonl"):
        (run.parent / "0 (copy)" / name).write_bytes((run / name).read_bytes())
    with pytest.raises(RunError, match="same run"):
        load(folder)


def test_an_integer_that_no_float_holds_is_no_traceback() -> None:
    assert finite(10**400) is None
