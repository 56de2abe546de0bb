"""What was read before is read again only if it changed, and never makes another number."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from analysis.runs import cached, logs
from analysis.runs.load import Experiment, load
from harness.whole import files_of
from tests.support.run_folders import noisy_experiment, trial, write_run


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plain runs with hashes, and runs of models that are read row by row."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cached, "LEAST_ROWS", 10)
    folder = noisy_experiment(tmp_path / "e", seeds=2, proposals=4)
    for path in folder.glob("*/*/*/run.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"files": files_of(path.parent)}))
    return folder


def _read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Experiment, set[str]]:
    """The experiment, and the runs whose logs were read."""
    read: set[str] = set()

    def noted(function: Any) -> Any:
        def call(run: Any) -> Any:
            read.add(run.id)
            return function(run)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(logs, "_plain", noted(logs._plain))
        found = load(folder)
    return found, read


def _same(one: Experiment, other: Experiment) -> bool:
    return one.trials.equals(other.trials) and one.invalid == other.invalid and one.tasks == other.tasks


def _file(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache/hyperbole/analysis").iterdir()
    return found


def test_unchanged_runs_are_read_once(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, read = _read(experiment, monkeypatch)
    assert len(read) == len(first.runs) == 16
    again, read = _read(experiment, monkeypatch)
    assert read == set()
    assert _same(first, again)
    assert first.invalid


def test_changed_new_and_lost_runs(experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(experiment)
    changed = experiment / "hpobench.kc1/smac/1/trials.jsonl"
    state = changed.stat()
    rows = [trial(i, 0.5, ask_seconds=0.26) for i in range(4)]
    shutil.rmtree(changed.parent)
    write_run(experiment, "smac", 1, rows, task="kc1")
    write_run(experiment, "random_search", 9, rows)
    shutil.rmtree(experiment / "hpobench.credit_g/llm_chat/0")
    os.utime(changed, ns=(state.st_atime_ns, state.st_mtime_ns))
    found, read = _read(experiment, monkeypatch)
    assert read == {"hpobench.kc1/smac/1", "hpobench.credit_g/random_search/9"}
    shutil.rmtree(tmp_path / "cache")
    assert _same(found, load(experiment))
    assert _read(experiment, monkeypatch)[1] == set()


def test_the_same_size_and_time_is_not_enough(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(experiment)
    log = experiment / "hpobench.kc1/smac/1/trials.jsonl"
    state = log.stat()
    log.write_bytes(log.read_bytes().replace(b"0.25", b"0.26"))
    os.utime(log, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (log.stat().st_size, log.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)
    found, read = _read(experiment, monkeypatch)
    assert read == {"hpobench.kc1/smac/1"}
    assert len(found.damaged) == 1


def test_a_damaged_cache_is_ignored(experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(experiment)
    file = _file(tmp_path)
    good = file.read_bytes()
    for content in (b"", good[:-9], b"x" + good, good[:-50] + bytes([good[-50] ^ 1]) + good[-49:], b"\xff\n{}\n"):
        file.write_bytes(content)
        found, read = _read(experiment, monkeypatch)
        assert len(read) == 16
        assert _same(first, found)
        assert file.read_bytes() == good, "and written anew"


def test_another_version_reads_again(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(experiment)
    monkeypatch.setattr(cached, "_version", lambda: "other")
    assert len(_read(experiment, monkeypatch)[1]) == 16


def test_a_cache_that_cannot_be_written(experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("in the way")
    assert len(load(experiment).runs) == 16


def test_small_experiments_leave_none(experiment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "LEAST_ROWS", 1000)
    load(experiment)
    assert not (tmp_path / "cache").exists()


def test_old_caches_go(experiment: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache/hyperbole/analysis"
    folder.mkdir(parents=True)
    for number in range(12):
        (folder / str(number)).write_text("")
        os.utime(folder / str(number), (number, number))
    load(experiment)
    assert len(list(folder.iterdir())) == cached.MOST_FILES
    assert not (folder / "2").exists()
