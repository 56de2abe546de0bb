"""The four frames of an experiment: their columns, what joins them, and that the tables start from them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from analysis.runs import columns
from analysis.runs.frames import calls, load, runs, trials, violations
from analysis.tables.cost import cost_table
from harness.errors import SettingError
from harness.faults import catalogue
from tests.support.run_folders import call, fault, trial, write_run

FRAMES = {"runs": runs, "trials": trials, "violations": violations, "calls": calls}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    experiment = tmp_path / "runs" / "quickstart"
    off = fault("off_grid", "alpha", 0.3) | {"steps": 0.25, "confused": "depth"}
    drawn = {"proposed": {"depth": 9}, "violations": [fault("out_of_range", "depth", 9)], "call": 1}
    rows = [
        trial(0, 0.7),
        trial(1, violations=[off, fault("unknown", "\ud800", "NaN")], calls=[0]),
        trial(2, 0.75, calls=[1], candidates=[drawn]),
    ]
    given_up = call(0, "") | {"id": None, "reply": None, "error": "time-out"}
    write_run(experiment, "llm_chat", 1, rows, [call(0, "\ud800"), given_up, call(1, "{}")], faults=catalogue())
    write_run(experiment, "smac", 0, [trial(0)])
    return experiment


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_has_the_columns_that_are_documented(name: str, folder: Path) -> None:
    frame = FRAMES[name](folder)
    assert frame.schema == pl.Schema(columns.schema_of(columns.FRAMES[name]))
    assert frame.height
    for field in columns.FRAMES[name]:
        assert field.null != "never" or not frame[field.name].null_count(), field.name
    assert list(frame.to_pandas().columns) == frame.columns


def test_a_frame_takes_what_was_read_before(folder: Path) -> None:
    experiment = load(folder)
    for frame in FRAMES.values():
        assert frame(experiment).equals(frame(str(folder)))


def test_runs_say_their_best_as_reported(folder: Path) -> None:
    smac, chat = runs(folder).to_dicts()
    assert (smac["optimizer"], smac["trials"], smac["incumbent"], smac["best"]) == ("smac", 1, None, None)
    assert (chat["trials"], chat["incumbent"], chat["best"], chat["optimum"]) == (3, -0.75, 0.75, 0.8)
    assert Path(chat["folder"], "run.json").exists()


def test_violations_of_proposals_and_of_candidates(folder: Path) -> None:
    found = violations(folder).select("index", "candidate", "fault", "group", "name", "value", "steps", "confused")
    assert found.rows() == [
        (1, None, "off_grid", "imprecise", "alpha", "0.3", 0.25, "depth"),
        (1, None, "unknown", "invented", "?", '"NaN"', None, None),
        (2, 0, "out_of_range", "invented", "depth", "9", None, None),
    ]
    invalid = trials(folder).filter("invalid").select("run", "index")
    own = violations(folder).filter(pl.col("candidate").is_null())
    assert own.select("run", "index").unique().equals(invalid)


def test_an_older_record_claims_no_group_that_it_cannot_know(tmp_path: Path) -> None:
    rows = [trial(0, violations=[fault("not_a_choice", "alpha", 0.3), fault("unknown", "x", 1)])]
    write_run(tmp_path / "old", "llm_chat", 1, rows, faults=[])
    assert violations(tmp_path / "old")["group"].to_list() == [None, "invented"]


def test_calls_lead_to_the_trial_that_was_read_from_them(folder: Path) -> None:
    found = calls(folder).select("id", "index", "reply", "error", "temperature", "attempts")
    assert found.rows() == [
        (0, 1, "?", None, 0.8, 1),
        (None, None, None, "time-out", 0.8, 1),
        (1, 2, "{}", None, 0.8, 1),
    ]


def test_a_misspelt_folder_is_one_sentence(folder: Path) -> None:
    with pytest.raises(SettingError, match="did you mean"):
        runs(folder.parent / "quikstart")


def test_a_call_in_flight_at_a_kill_has_no_cost_and_is_counted(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("id", "messages", "sampling", "reply", "usage", "seconds", "attempts", "finish_reason"))
    lost = call(0, "") | nothing | {"error": "in flight when its process ended"}
    used = [trial(0, 0.7, calls=[0], usage=call(0, "x")["usage"]), trial(1, 0.6)]
    write_run(tmp_path / "e", "llm_chat", 0, used, [lost, call(0, "x")])
    frame = calls(tmp_path / "e")
    assert frame.select("id", "seconds", "attempts", "prompt_tokens", "max_tokens").rows() == [
        (None, None, None, None, None),
        (0, 0.2, 1, 100, 128),
    ]
    table = cost_table(load(tmp_path / "e"))
    assert table.notes[-1].startswith("Calls in flight when a command was killed: 1.")
    assert table.frame["calls"].to_list() == [1.0]
