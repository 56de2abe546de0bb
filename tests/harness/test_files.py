"""A full disk, a read-only one, too many open files: one sentence, and the run can be continued afterwards."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys

import pytest

from benchmarks.training.evaluation_cache import EvaluationCache
from harness.errors import DiskError
from harness.explain import explained
from harness.files import disk_error, replace_file
from harness.folder import RunFolder
from harness.jsonl import Appender, read_rows
from harness.loop import evaluated
from harness.trial import Proposal, Trial
from tests.support.command import command, hyperbole, rows, sentence
from tests.support.fakes import Line

TOY = ("benchmark=toy", "benchmark.task=branin")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 48 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("no disk of its own without root")
    options = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)]
    if subprocess.run(options, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("optimizer", ["random_search"])
def test_a_full_disk_is_one_sentence_and_the_run_can_continue(small_disk, tmp_path, optimizer):
    made = [*TOY, f"optimizer={optimizer}", "budget.proposals=60"]
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 20_000)
    told = sentence(hyperbole(*made, cwd=small_disk))
    assert "trials.jsonl cannot be used: no space is left on its disk; free some, then repeat the command" in told
    log = small_disk / "runs/adhoc/toy.branin" / optimizer / "0/trials.jsonl"
    content = log.read_bytes()
    assert content.endswith(b"\n"), "no torn line"
    assert 0 < content.count(b"\n") < 60
    assert not list(log.parent.glob(".run*"))
    assert "no space is left" in sentence(hyperbole(*made, cwd=small_disk)), "still full"
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=400k", str(small_disk)], check=True)
    assert hyperbole(*made, cwd=small_disk).returncode == 0
    assert log.read_bytes().startswith(content)
    assert hyperbole(*made, cwd=tmp_path).returncode == 0
    assert rows(small_disk) == rows(tmp_path / "runs")


def test_analysis_on_a_full_disk_says_which_file_and_leaves_no_half_of_it(small_disk, tmp_path):
    assert hyperbole(*TOY, cwd=tmp_path).returncode == 0
    told = sentence(command("analysis", "runs/adhoc", "--output", str(small_disk / "out"), cwd=tmp_path))
    assert str(small_disk / "out") in told
    assert "no space is left" in told
    assert not [path for path in small_disk.rglob("*") if path.name.startswith(".") or path.stat().st_size == 0]


@pytest.mark.parametrize("module", ["analysis", "harness.replay"])
def test_standard_output_can_be_full_too(tmp_path, module):
    assert hyperbole(*TOY, cwd=tmp_path).returncode == 0
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", module, "runs/adhoc"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("Standard output")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE, errno.EIO])
def test_every_such_error_names_the_file_and_what_to_do(number, capsys):
    with pytest.raises(SystemExit) as ending, explained([]):
        raise OSError(number, os.strerror(number), "runs/x/run.json")
    assert ending.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("runs/x/run.json cannot be used: ")
    assert told.endswith("then repeat the command: it continues from there.\n")
    assert told.count("\n") == 1


def test_an_error_of_ours_keeps_its_traceback():
    with pytest.raises(FileNotFoundError), explained([]):
        raise FileNotFoundError(errno.ENOENT, "No such file", "conf/none.yaml")


class Full:
    """A file on a disk that takes half of a line and then nothing more."""

    def __init__(self, file):
        self._file = file
        self._left = 9

    def write(self, data):
        if not self._left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self._file.write(data[: self._left])
        self._left -= taken
        return taken

    def __getattr__(self, name):
        return getattr(self._file, name)


def test_a_row_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "trials.jsonl"
    log = Appender(path)
    log.write({"index": 0})
    log._file = Full(log._file)
    with pytest.raises(DiskError, match="no space is left"):
        log.write({"index": 1, "more": "x" * 100})
    log.close()
    log.close()
    assert path.read_text() == '{"index":0}\n'
    assert read_rows(path) == [{"index": 0}]


def test_what_stood_there_stays_where_there_is_no_room(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    replace_file(path, "before")

    def full(self, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(DiskError, match=r"run\.json cannot be used: no space"):
        replace_file(path, "after")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("run.json", "before")]


def test_nothing_is_written_through_links(tmp_path):
    """A folder from others may contain links to files of its reader."""
    theirs, mine = tmp_path / "theirs", tmp_path / "mine"
    theirs.mkdir()
    mine.mkdir()
    (mine / "file").write_text("mine")
    for name in ("run.json", "trials.jsonl", ".lock"):
        (theirs / name).symlink_to(mine / "file")
    with pytest.raises(DiskError, match="through links"):
        Appender(theirs / "trials.jsonl")
    with pytest.raises(DiskError, match="through links"), RunFolder(theirs).lock():
        pass
    RunFolder(theirs).write({"status": "running"})
    (theirs / "tables").symlink_to(mine)
    with pytest.raises(DiskError, match="through links"):
        replace_file(theirs / "tables/quality.md", "x")
    assert [(path.name, path.read_text()) for path in mine.iterdir()] == [("file", "mine")]


def test_a_run_below_a_linked_task_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs/adhoc").mkdir(parents=True)
    (tmp_path / "runs/adhoc/toy.branin").symlink_to(tmp_path / "elsewhere")
    assert "through links" in sentence(hyperbole(*TOY, cwd=tmp_path))
    assert not list((tmp_path / "elsewhere").iterdir())


class FullDisk(Line):
    """A benchmark with a disk error."""

    def evaluate(self, params, fidelity, seed):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/scratch/model")


def test_a_full_disk_is_no_failed_trial():
    with pytest.raises(DiskError, match="/scratch/model cannot be used: no space"):
        evaluated(Trial(0, Proposal({"x": 0.5}), params={"x": 0.5}), FullDisk(), 0)


def test_a_cache_that_cannot_be_written_costs_no_trial(small_disk, capsys):
    subprocess.run(["mount", "-o", "remount,size=100k", str(small_disk)], check=True)
    cache = EvaluationCache(str(small_disk / "c.sqlite"))
    with contextlib.suppress(OSError):
        (small_disk / "filler").write_bytes(b"x" * 100_000)
    for key in ("one", "two"):
        with cache.claim(key) as kept:
            assert kept is None
            cache.keep(key, {"accuracy": 0.5}, 1.0)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "cannot be used" in told


def test_too_many_open_files(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 128), hard))
    try:
        while True:
            try:
                opened.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        with pytest.raises(DiskError, match=r"too many files are open; raise the limit \(ulimit -n\)"):
            Appender(tmp_path / "trials.jsonl")
    finally:
        for file in opened:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_error_without_a_name_is_still_a_sentence():
    assert str(disk_error(OSError("odd"))).startswith("A file cannot be used: odd; fix that")
