"""Where a sweep stands, from the lines of its jobs."""

from __future__ import annotations

import io
import sys
import time

import pytest

from harness import beat, sweep_display
from harness.beat import Beat
from harness.standing import Standing
from harness.summary import SweepSummary
from harness.sweep_display import SweepDisplay
from harness.tally import Tally
from tests.harness.test_progress import row
from tests.support.run_folders import fault, trial, write_run


@pytest.fixture
def tally(monkeypatch):
    """The tally of a sweep of six jobs."""
    monkeypatch.setenv("HYPERBOLE_TALLY", "")
    begun = Tally.begin(6)
    yield begun
    begun.end()


@pytest.fixture
def standing(tmp_path):
    return Standing(SweepSummary(tmp_path / "runs" / "x", 6), 6)


def reads(standing, tally, now):
    for news in tally.news():
        standing.add(news, now)
    return standing.text(now)


def test_nothing_measured_is_a_dash(standing, tally):
    assert reads(standing, tally, 0.0) == "0/6 runs, 0 in flight, hallucination rate –, – left"
    tally.planned({"smollm2": 2, "": 4})
    assert reads(standing, tally, 1.0) == "0/6 runs, 0 in flight, – tokens/s, hallucination rate –, – left"


def test_runs_of_two_kinds_have_each_their_own_pace(standing, tally, tmp_path):
    tally.planned({"smollm2": 2, "": 4})
    folders = [write_run(tmp_path / "runs" / "x", "smac", seed, [trial(0, 0.7)]) for seed in range(4)]
    models = [tmp_path / "llm" / str(seed) for seed in range(2)]
    for folder in models:
        tally.begun(folder, "smollm2")
        tally.going(folder, {"trials": 10, "invented": 5, "tokens": 100, "share": 0.1})
    for number, folder in enumerate(folders):
        tally.begun(folder, None)
        tally.add("complete", folder)
        reads(standing, tally, float(number))
    assert standing.seconds_left(3.0) is None  # the first news of the model's runs; two are needed for a pace
    for folder in models:
        tally.going(folder, {"trials": 20, "invented": 10, "tokens": 200, "share": 0.2})
    told = reads(standing, tally, 10.0)
    # 2 runs, each 0.1 further in 10 s: 0.8 of each are left; 200 tokens in the 10 s since the last look
    assert told == "4/6 runs, 2 in flight, 20 tokens/s, hallucination rate 45.5 %, 80 s left"
    # without news the rate stays as it was measured, the time left passes
    assert standing.text(15.0) == told.replace("80 s", "75 s")
    assert "0 tokens/s" in standing.text(100.0)


def test_a_run_that_fails_or_is_skipped_is_not_in_flight_and_sets_no_pace(standing, tally, tmp_path):
    tally.planned({"": 3})
    for status in ("skipped", "skipped", "busy"):
        tally.add(status, tmp_path / status)
    assert reads(standing, tally, 1.0).startswith("3/6 runs, 0 in flight, hallucination rate –, – left")
    tally.begun(tmp_path / "a", None)
    tally.add("failed", tmp_path / "a")
    assert reads(standing, tally, 2.0).startswith("4/6 runs, 0 in flight, 1 failed,")
    tally.begun(tmp_path / "b", None)
    tally.add("complete", tmp_path / "b")
    assert reads(standing, tally, 5.0).endswith(", 3 s left")  # one run in 3 s since the first had ended, one is left


def test_other_launchers_that_plan_nothing_are_one_kind(standing, tally, tmp_path):
    tally.begun(tmp_path / "a", None)
    tally.add("complete", tmp_path / "a")
    reads(standing, tally, 0.0)
    tally.begun(tmp_path / "b", None)
    tally.add("complete", tmp_path / "b")
    reads(standing, tally, 1.0)
    assert standing.seconds_left(1.0) == pytest.approx(4.0)


def test_a_number_of_jobs_that_only_the_sweeper_knows(tmp_path, tally):
    standing = Standing(SweepSummary(tmp_path / "x", None), None)
    tally.begun(tmp_path / "a", None)
    tally.add("complete", tmp_path / "a")
    assert reads(standing, tally, 0.0) == "1 runs, 0 in flight, hallucination rate –, – left"


def test_a_run_says_little_while_it_goes_on(tally, tmp_path, monkeypatch):
    reporter = Beat(tally, tmp_path / "a", "smollm2")
    reporter.add(row(0))
    reporter.begin()  # that one was recorded by an earlier command
    for index in range(1000):
        reporter.add(row(index))
        assert not reporter.is_due
    monkeypatch.setattr(beat, "SECONDS", -1.0)
    assert reporter.is_due
    reporter.tell({"trials": 1001, "invented": 3, "best": None}, 0.5)
    begun, going = tally.news()
    assert (begun["status"], begun["llm"]) == ("begun", "smollm2")
    assert (going["tokens"], going["trials"], going["invented"], going["share"]) == (20_000, 1001, 3, 0.5)


def test_lines_of_a_sweep_that_has_ended_make_no_file(tally, tmp_path):
    tally.end()
    tally.add("complete", tmp_path)
    assert not tally.path.exists()


@pytest.mark.parametrize("is_drawn", [True, False])
def test_a_file_gets_lines_without_control_codes(standing, tally, monkeypatch, is_drawn):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sweep_display, "LINE_SECONDS", 0.01)
    tally.add("complete", None)
    display = SweepDisplay("runs/x", standing, lambda: reads(standing, tally, 0.0), is_drawn)
    display.start()
    end = time.monotonic() + 30
    while stream.getvalue().count("\n") < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    display.stop()
    assert stream.getvalue().splitlines()[-1] == "runs/x: 1/6 runs, 0 in flight, hallucination rate –, – left"
    assert not {"\x1b", "\r"} & set(stream.getvalue())


def test_the_rate_of_a_complete_run_replaces_what_it_said_in_flight(standing, tally, tmp_path):
    rows = [trial(0, 0.7), trial(1, violations=[fault("unknown", "x", 1)])]
    folder = write_run(tmp_path / "runs" / "x", "llm_chat", 0, rows)
    tally.begun(folder, "smollm2")
    tally.going(folder, {"trials": 1, "invented": 1, "tokens": 9, "share": 0.5})
    assert "hallucination rate 100 %" in reads(standing, tally, 0.0)
    tally.add("complete", folder)
    assert "hallucination rate 50 %" in reads(standing, tally, 1.0)
