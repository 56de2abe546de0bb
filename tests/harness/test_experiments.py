"""For a path that is not an experiment, the error says what it is and which path to give."""

from __future__ import annotations

import json

import pytest

from harness.errors import SettingError
from harness.experiments import experiments_in, is_foreign, not_an_experiment


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A working folder with one experiment, and many other folders."""
    monkeypatch.chdir(tmp_path)
    run(tmp_path / "runs/trial/toy.branin/smac/0")
    for folder in ("runs/empty", "runs/.hidden", "data/tables", "other/a/b/c/d"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "other/a/b/c/d/run.json").write_text('{"model": "another program"}')
    (tmp_path / "data/a.csv").write_text("1")
    return tmp_path


def run(folder):
    folder.mkdir(parents=True)
    record = {"schema": 2, "objectives": [], "method": "smac", "seed": 0}
    (folder / "run.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/nowhere", "There is no folder '/nowhere'; give an experiment: runs/trial."),
        ("nowhere/at/all", "There is no folder 'nowhere/at/all'; give an experiment: runs/trial."),
        ("/", "'/' holds no runs"),
        (".", "'.' holds no runs (<benchmark>.<task>/<method>/<seed>/run.json); give an experiment: runs/trial."),
        ("runs", "give one of its experiments: trial."),
        ("runs/empty", "give an experiment: runs/trial."),
        ("other", "give an experiment: runs/trial."),
        ("data/tables", "give an experiment: runs/trial."),
        ("data/a.csv", "'data/a.csv' is a file; give an experiment: runs/trial."),
        ("runs/trial/toy.branin", "is a task of an experiment; give the experiment: runs/trial."),
        ("runs/trial/toy.branin/smac", "is a method of an experiment; give the experiment: runs/trial."),
        ("runs/trial/toy.branin/smac/0", "is a run of an experiment; give the experiment: runs/trial."),
        ("runs/trail", "Unknown experiment 'trail'; did you mean 'trial'? Valid: trial."),
    ],
)
def test_what_is_said(work, path, told):
    from pathlib import Path

    said = str(not_an_experiment(Path(path)))
    assert told in said
    assert not [name for name in ("empty", "bin", "other/", "hidden") if name in said.removeprefix(f"'{path}'")]


def test_a_run_that_lies_elsewhere_makes_no_experiment_of_the_folders_above(work):
    run(work / "scratch/copies/old/first")
    run(work / "smac/0")
    assert experiments_in(work) == []


def test_where_there_is_no_experiment_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    error = not_an_experiment(tmp_path / "runs/quickstart")
    assert not isinstance(error, SettingError)
    assert "python -m harness.run makes one in runs/" in str(error)


def test_only_folders_with_a_run_of_ours_are_experiments(work):
    assert [path.name for path in experiments_in(work / "runs")] == ["trial"]
    assert experiments_in(work) == []
    assert is_foreign(work / "other/a/b/c/d/run.json")
    assert not is_foreign(work / "runs/trial/toy.branin/smac/0/run.json")
    (work / "torn.json").write_text("{")
    assert not is_foreign(work / "torn.json"), "one of ours may be damaged; that is another error"
