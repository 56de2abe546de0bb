"""Processes that end with the command that they work for, whatever ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.support.command import ROOT

WATCH = """
import sys, time
from harness.orphans import end_with

end_with(int(sys.argv[1]))
print("up", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_process_ends_with_the_one_that_it_watches(number: int) -> None:
    other = subprocess.Popen(["sleep", "60"])
    command = [sys.executable, "-c", WATCH, str(other.pid)]
    watching = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    assert watching.stdout.readline() == "up\n"
    assert watching.poll() is None
    other.send_signal(number)
    assert watching.wait(30) == 1  # also while the other one is a zombie
    other.wait()


def test_one_whose_command_is_unknown_stays() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    code = f"import time; from harness.orphans import end_with; end_with({gone.pid}); time.sleep(0.3)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_workers_of_joblib_end_with_a_killed_command(tmp_path) -> None:
    """Also those that never got a job: they waited for twenty minutes and more."""
    settings = ["benchmark=toy", "tracker=none", "seed=0,1", "budget.proposals=5000"]
    launcher = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=3"]
    command = subprocess.Popen(
        [sys.executable, "-m", "harness.run", "-m", *settings, *launcher],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: len([*tmp_path.glob("runs/*/*/*/*/trials.jsonl")]) == 2)
        children = psutil.Process(command.pid).children(recursive=True)
        assert len(children) >= 3
    finally:
        command.kill()
    until(lambda: not any(_runs(each) for each in children))
    command.wait()


def until(condition) -> None:
    end = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
