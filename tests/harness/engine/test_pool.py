"""Workers that die: which runs fail with them, and when no more are started."""

from __future__ import annotations

import os
import signal
import tempfile
from multiprocessing import parent_process
from pathlib import Path

import pytest

from harness.engine import pool
from harness.engine.pool import DEATHS, Pool
from harness.engine.worker import READY, Result
from harness.job import Job


def tasks(number, llm=None):
    return [(each, Job(Path("runs"), f"x/toy.branin/m/{each}", {"llm": llm}, {})) for each in range(number)]


def dies_at_start(channel, threads):
    os._exit(7)


def mark_of(pid):
    """A file that only this test process and its workers use; they share no environment that is set in a test."""
    return Path(tempfile.gettempdir()) / f"hyperbole-test-pool-{pid}"


def dies_at_start_once(channel, threads):
    """The first worker is killed before it takes a job; the others do theirs."""
    mark = mark_of(parent_process().pid)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    channel.send(READY)
    while (task := channel.recv()) is not None:
        channel.send(Result(task[0]))


def dies_in_every_second_run(channel, threads):
    channel.send(READY)
    while (task := channel.recv()) is not None:
        if task[0] % 2:
            os._exit(3)
        channel.send(Result(task[0]))


def results(monkeypatch, serve, number, llm=None, processes=2):
    monkeypatch.setattr(pool, "serve", serve)
    started = []
    start = Pool._start
    monkeypatch.setattr(Pool, "_start", lambda self, capacity: started.append(capacity) or start(self, capacity))
    found = {result.number: result for result in Pool(4, processes).results(tasks(number, llm))}
    return found, started


@pytest.mark.parametrize(("llm", "workers"), [(None, 2), ("some", 1)])
def test_workers_that_always_die_at_their_start_are_not_started_for_ever(monkeypatch, llm, workers):
    found, started = results(monkeypatch, dies_at_start, 50, llm)
    assert len(found) == 50
    assert len(started) <= DEATHS * workers + workers
    assert all("worker processes in a row ended without a result" in str(each.error) for each in found.values())
    assert "x/toy.branin/m/49: not started" in str(found[49].error)
    assert "the last one with exit code 7" in str(found[49].error)


def test_a_run_that_no_worker_had_begun_is_given_to_the_next_one(monkeypatch):
    try:
        found, started = results(monkeypatch, dies_at_start_once, 5, processes=1)
    finally:
        mark_of(os.getpid()).unlink()
    assert [found[number].error for number in range(5)] == [None] * 5
    assert len(started) == 2


def test_deaths_with_results_in_between_fail_their_own_runs_alone(monkeypatch):
    found, _ = results(monkeypatch, dies_in_every_second_run, 20, processes=1)
    failed = {number for number, each in found.items() if each.error is not None}
    assert failed == set(range(1, 20, 2))
    assert all("its process ended with exit code 3" in str(found[number].error) for number in failed)
