from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.publish import main
from harness.wandb.wandb_tracker import WandbTracker
from tests.support.wandb_files import FOUR_ROWS, read_offline, run_json, write_run

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NETRC", raising=False)
    return tmp_path / "home"


def test_from_disk_equals_live(tmp_path, capsys):
    replies = {1: "a \ud800 reply", 3: "prose", 4: "more"}
    run = run_json(status="complete")
    folder = write_run(tmp_path / "runs", run, FOUR_ROWS, replies)
    tracker = WandbTracker(directory=tmp_path / "live")
    tracker.start(folder, run_json())
    for row in FOUR_ROWS:
        tracker.log(row)
    tracker.finish(run)
    assert main([str(tmp_path / "runs" / "quick"), "--directory", str(tmp_path / "published")]) == 0
    (live,), (published,) = read_offline(tmp_path / "live"), read_offline(tmp_path / "published")
    clock = ("_timestamp", "_runtime", "_wandb")
    summaries = [{k: v for k, v in read.summary.items() if k not in clock} for read in (live, published)]
    assert len(live.history) == 5
    assert published.without_clock() == live.without_clock()
    assert published.table("invalid_proposals") == live.table("invalid_proposals")
    assert summaries[0] == summaries[1]
    assert published.config == live.config
    assert published.run.run_id == live.run.run_id
    assert published.run.project == "hyperbole"
    assert capsys.readouterr().err == ""


def test_a_sentence_a_run_and_a_summary(tmp_path, capsys):
    runs = tmp_path / "runs"
    complete = write_run(runs, run_json(0, status="complete"), FOUR_ROWS)
    failed = write_run(runs, run_json(1, status="failed", error="ServerError: gone"), FOUR_ROWS[:1])
    running = write_run(runs, run_json(2), FOUR_ROWS)
    torn = write_run(runs, run_json(3, status="complete"), FOUR_ROWS)
    (torn / "run.json").write_text("{")
    assert main([str(runs), "--project", "p", "--entity", "e"]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        f"Published {complete}.",
        f"Published {failed}.",
        f"Skipped {running}: its status is 'running', not complete or failed.",
        "Published 2 of 4 runs to W&B's offline files (send them with `wandb sync <folder>`); 1 failed, 1 skipped.",
    ]
    assert captured.err.startswith(f"{torn}/run.json cannot be read (")
    ((first,), (second,)) = read_offline(complete), read_offline(failed)
    assert (first.run.project, first.run.entity) == ("p", "e")
    assert (first.exit_code, second.exit_code) == (0, 1)
    assert (second.summary["status"], second.summary["error"]) == ("failed", "ServerError: gone")
    assert read_offline(running) == []


def test_only_complete(tmp_path, capsys):
    failed = write_run(tmp_path, run_json(1, status="failed"), FOUR_ROWS)
    assert main([str(failed), "--only-complete"]) == 0
    assert capsys.readouterr().out.startswith(
        f"Skipped {failed}: its status is 'failed', not complete.\nPublished 0 of 1"
    )


def test_wrong_folders_and_settings(tmp_path, capsys):
    right = tmp_path / "quickstart"
    wrong = tmp_path / "quickstrat"
    right.mkdir()
    for arguments, sentence in (
        ([str(wrong)], f"There is no folder {wrong}; did you mean {right}?"),
        ([str(right)], f"No run.json at or below {right}; give the folder"),
        ([str(tmp_path), "--project", ""], "tracker.project is empty"),
    ):
        assert main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(sentence)
        assert captured.out == ""
        assert captured.err.count("\n") == 1
    (right / "run.json").write_text('{"status": "complete"}')
    assert main([str(tmp_path)]) == 1
    assert "it lacks experiment, benchmark" in capsys.readouterr().err


def test_as_a_command_with_stdin_closed_and_nothing_written_elsewhere(tmp_path, home):
    home.mkdir()
    (tmp_path / "cwd").mkdir()
    folder = write_run(tmp_path / "runs", run_json(status="complete"), FOUR_ROWS)
    before = {path.name for path in folder.iterdir()}
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = f'exec "{sys.executable}" -m harness.publish "{tmp_path}/runs" <&-'
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path / "cwd", env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Published {folder}.\nPublished 1 of 1 runs")
    assert len(read_offline(folder)) == 1
    assert {path.name for path in folder.iterdir()} - before == {"wandb"}
    assert list(home.iterdir()) == list((tmp_path / "cwd").iterdir()) == []
