"""A run recorded as complete whose log is incomplete or damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.errors import RunError
from harness.jsonl import read_rows
from harness.record import read_record
from harness.whole import DamagedError, check_resumable, whole_rows
from tests.harness.test_replay import MODEL
from tests.harness.test_replay import path as with_this_project
from tests.support.command import command, hyperbole, rows, run_json

TOY = ("benchmark=toy", "benchmark.task=branin")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two runs of one experiment, one of them of a model."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "conf/llm").mkdir(parents=True)
    (folder / "conf/llm/fake.yaml").write_text(
        "_target_: model.model\nrecording: ${folder}/calls.jsonl\nreplay: null\nlive: true\n"
    )
    (folder / "model.py").write_text(MODEL)
    done = again(folder)
    assert done.returncode == 0, done.stderr
    return folder


def again(folder):
    overrides = ("optimizer=random_search,llm_chat", "llm=fake", f"hydra.searchpath=[{folder / 'conf'}]")
    return hyperbole("-m", *TOY, *overrides, cwd=folder, PYTHONPATH=with_this_project(folder))


@pytest.fixture
def runs(made, tmp_path):
    """A copy of their folder, to be damaged: experiment, the model's run, the other run."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    experiment = tmp_path / "runs/adhoc"
    return experiment, experiment / "toy.branin/llm_chat+llm=fake/0", experiment / "toy.branin/random_search/0"


def changed_lines(change):
    def damage(run):
        path = run / "trials.jsonl"
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return damage


def other_value(lines):
    row = json.loads(lines[4])
    row["ask_seconds"] += 1
    return [*lines[:4], json.dumps(row) + "\n", *lines[5:]]


def changed_calls(change):
    def damage(run):
        path = run / "calls.jsonl"
        path.write_text("".join(change(path.read_text().splitlines(keepends=True))))

    return damage


CUT_SHORT = {
    "18 of 20 gone": changed_lines(lambda lines: lines[:2]),
    "last gone": changed_lines(lambda lines: lines[:-1]),
    "last torn": changed_lines(lambda lines: [*lines[:-1], lines[-1][:40]]),
    "no line end": changed_lines(lambda lines: [*lines[:-1], lines[-1][:-1]]),
    "last is garbage": changed_lines(lambda lines: [*lines[:-1], '{"index": 1\n']),
    "empty": changed_lines(lambda lines: []),
    "absent": lambda run: (run / "trials.jsonl").unlink(),
}
OTHERWISE = {
    "swapped": changed_lines(lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]]),
    "first gone": changed_lines(lambda lines: lines[1:]),
    "one gone": changed_lines(lambda lines: [*lines[:7], *lines[8:]]),
    "twice": changed_lines(lambda lines: [*lines[:7], lines[6], *lines[7:]]),
    "last twice": changed_lines(lambda lines: [*lines, lines[-1]]),
    "one more": changed_lines(lambda lines: [*lines, lines[-1].replace('"index":19', '"index":20')]),
    "garbage": changed_lines(lambda lines: [*lines[:3], "garbage\n", *lines[4:]]),
    "no object": changed_lines(lambda lines: [*lines[:3], "3\n", *lines[4:]]),
    "empty line": changed_lines(lambda lines: [*lines[:3], "\n", *lines[3:]]),
    "another value": changed_lines(other_value),
}


@pytest.mark.parametrize("known", [True, False], ids=["files known", "older run"])
@pytest.mark.parametrize("damage", [*CUT_SHORT, *OTHERWISE])
def test_damage_is_named(runs, damage, known):
    run = runs[2]
    if not known:
        if damage == "another value":
            pytest.skip("an older run does not know its files")
        said = read_record(run / "run.json")
        del said["files"]
        (run / "run.json").write_text(json.dumps(said))
    assert len(whole_rows(run, read_record(run / "run.json"))) == 20
    (CUT_SHORT | OTHERWISE)[damage](run)
    with pytest.raises(DamagedError) as told:
        whole_rows(run, read_record(run / "run.json"))
    assert told.value.goes_on == (damage in CUT_SHORT)
    assert str(told.value).startswith(f"{run} is recorded as complete, but ")
    assert str(run) in str(told.value)


@pytest.mark.parametrize("known", [True, False], ids=["files known", "older run"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[1:],
        lambda lines: [*lines[:-1], lines[-1][:50]],
        lambda lines: [*lines[:3], "x\n", *lines[4:]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines, lines[0]],
    ],
)
def test_calls_that_trials_name_are_there(runs, damage, known):
    run = runs[1]
    if not known:
        said = read_record(run / "run.json")
        del said["files"]
        (run / "run.json").write_text(json.dumps(said))
    changed_calls(damage)(run)
    with pytest.raises(DamagedError, match=r"calls\.jsonl"):
        whole_rows(run, read_record(run / "run.json"))


def test_another_runs_log_is_not_its_own(runs):
    _, model, run = runs
    shutil.copy(model / "trials.jsonl", run / "trials.jsonl")
    with pytest.raises(DamagedError, match="was changed after the run"):
        whole_rows(run, read_record(run / "run.json"))
    said = read_record(run / "run.json")
    said["started_at"] = said["finished_at"]
    del said["files"]
    with pytest.raises(DamagedError, match="when it was not running"):
        whole_rows(run, said)


def test_the_command_continues_a_truncated_log_and_refuses_another_runs_log(runs, tmp_path):
    _, model, run = runs
    whole = {each: rows(each) for each in (model, run)}
    CUT_SHORT["18 of 20 gone"](run)
    CUT_SHORT["last torn"](model)
    done = command("analysis", "runs/adhoc", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("repeat the command that made it: it continues from there.") == 2
    assert again(tmp_path).returncode == 0
    assert {each: rows(each) for each in (model, run)} == whole
    assert len(whole_rows(run, run_json(run))) == 20

    OTHERWISE["swapped"](run)
    log = (run / "trials.jsonl").read_bytes()
    done = again(tmp_path)
    assert done.returncode == 2
    assert "line 4 of trials.jsonl is trial 4 instead of 3; move it away (mv '" in done.stderr
    assert (run / "trials.jsonl").read_bytes() == log
    done = command("analysis", "runs/adhoc", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    run.rename(run.parent / ".0-damaged")
    assert again(tmp_path).returncode == 0
    assert command("analysis", "runs/adhoc", cwd=tmp_path).returncode == 0
    assert rows(run) == whole[run]


def resumed(folder: Path, *lines: str) -> None:
    """Check the beginning of a log as a command that resumes the run does."""
    (folder / "trials.jsonl").write_text("".join(lines))
    check_resumable(folder, read_rows(folder / "trials.jsonl"))


def test_a_trial_is_resumed_only_with_the_calls_behind_it(runs):
    """Else the same calls would be paid again, and other replies would contradict the log."""
    folder = runs[1]
    lines = (folder / "trials.jsonl").read_text().splitlines(keepends=True)[:8]
    resumed(folder, *lines)
    changed_calls(lambda calls: calls[:5])(folder)
    resumed(folder, *lines[:5])
    with pytest.raises(RunError, match=r"calls\.jsonl lacks call 5, which line 6 of .*trials\.jsonl names; remove"):
        resumed(folder, *lines)
    (folder / "calls.jsonl").unlink()
    with pytest.raises(RunError, match="lacks call 0, which line 1"):
        resumed(folder, *lines)


@pytest.mark.parametrize("strange", ["{}", '{"index":2}', '{"index":2,"usage":3,"violations":[],"calls":[]}'])
def test_a_line_of_another_kind_is_named_before_a_run_is_resumed(runs, strange):
    lines = (runs[2] / "trials.jsonl").read_text().splitlines(keepends=True)
    with pytest.raises(RunError, match=r"Line 3 of .*trials\.jsonl is not trial 2; move"):
        resumed(runs[2], *lines[:2], f"{strange}\n")
    with pytest.raises(RunError, match=r"Line 3 of .* is not trial 2"):
        resumed(runs[2], *lines[:2], lines[1])
