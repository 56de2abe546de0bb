"""What becomes of runs whose workers end, with scripted workers in place of Ray's."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from harness.engine import ray_pool
from harness.engine.ray_cluster import Node, connected
from harness.engine.ray_pool import ALONE_FROM, MOST_STARTS, RayPool
from harness.engine.ray_staff import Worker
from harness.engine.worker import Result
from harness.errors import HyperboleError, SettingError
from harness.job import Done, Job

NODE = Node("1", "gpu1", 1)


def job(runs: Path, seed: int, llm: str | None = None) -> Job:
    return Job(runs, f"x/toy.branin/m/{seed}", {"llm": llm}, {})


class Scripted:
    """One worker of each kind; the script says how a run's n-th start ends: as a status, or None as its worker ends."""

    def __init__(self, script):
        self.script, self.given, self.capacity = script, [], {False: 1, True: 8}
        self._workers = {}

    @property
    def is_busy(self):
        return any(worker.tasks for worker in self._workers.values())

    def fill(self, queued):
        for kind, runs in queued.items():
            if runs and kind not in self._workers:
                self._workers[kind] = Worker(None, NODE, kind, self.capacity[kind], None)

    def ready(self):
        return list(self._workers.values())

    def has_room(self, worker, queued):
        return len(worker.tasks) < worker.capacity

    def give(self, worker, task):
        worker.tasks[task[0]] = task

    def dismiss(self, worker):
        del self._workers[worker.is_shared]

    def news(self, seconds):
        for kind, worker in list(self._workers.items()):
            tasks = list(worker.tasks.values())
            if not tasks:
                continue
            worker.tasks.clear()
            self.given.append((kind, [number for number, _ in tasks]))
            told = {number: self.script(number, sum(number in each for _, each in self.given)) for number, _ in tasks}
            if None in told.values():
                del self._workers[kind]
                yield worker, tasks, None
                continue
            for number, task in ((task[0], task) for task in tasks):
                yield worker, [task], Result(number, Done(told[number], Path("x")))

    def end(self):
        self._workers.clear()


@pytest.fixture
def results(monkeypatch, tmp_path):
    """Runs the pool on jobs; returns results by number and the workers."""
    monkeypatch.setattr(ray_pool, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(ray_pool, "connected", lambda *_: nullcontext())
    (tmp_path / "runs/x/.sweep").mkdir(parents=True)

    def run(script, *llms, n_jobs=8):
        staff = Scripted(script)
        monkeypatch.setattr(ray_pool, "Staff", lambda *_: staff)
        tasks = [(number, job(tmp_path / "runs", number, llm)) for number, llm in enumerate(llms)]
        found = {result.number: result for result in RayPool(n_jobs, None, None, 1).results(tasks)}
        assert list((tmp_path / "runs/x/.sweep").iterdir()) == []
        return found, staff.given

    return run


def test_every_run_has_one_result(results):
    found, given = results(lambda number, start: "complete", None, "tiny", None, "tiny")
    assert sorted(found) == [0, 1, 2, 3]
    assert sorted(given) == [(False, [0]), (False, [2]), (True, [1, 3])]


def test_runs_of_a_worker_that_ends_are_put_back(results, capsys):
    found, given = results(lambda number, start: None if start == 1 else "complete", "tiny", "tiny", None)
    assert {result.done.status for result in found.values()} == {"complete"}
    assert sorted(number for _, numbers in given for number in numbers) == [0, 0, 1, 1, 2, 2]
    said = "x/toy.branin/m/0: its worker on gpu1 ended; the run is back in the queue."
    assert said in capsys.readouterr().err.splitlines()


def test_a_run_that_always_ends_its_worker_fails_alone(results):
    found, given = results(lambda number, start: None if number == 2 else "complete", *["tiny"] * 6)
    (failed,) = (number for number, result in found.items() if result.done is None)
    assert (failed, sum(2 in numbers for _, numbers in given)) == (2, MOST_STARTS)
    assert "the last of 3 times on gpu1; the same command resumes the run" in str(found[2].error)
    assert given[ALONE_FROM - 1] == (True, [0, 1, 2, 3, 4, 5])
    assert all(kind is False for kind, _ in given[ALONE_FROM:])


def test_a_run_whose_former_worker_still_has_its_lock_is_tried_again(results):
    script = {1: None, 2: "busy", 3: "busy", 4: "complete"}
    found, given = results(lambda number, start: script[start], None)
    assert (found[0].done.status, len(given)) == ("complete", 4)


def test_a_lock_that_is_never_freed_is_reported(results, monkeypatch):
    monkeypatch.setattr(ray_pool, "FREED_SECONDS", 0.05)
    found, _ = results(lambda number, start: None if start == 1 else "busy", None)
    assert found[0].done.status == "busy"


def test_a_run_of_another_command_is_left_to_it(results):
    found, given = results(lambda number, start: "busy", None)
    assert (found[0].done.status, len(given)) == ("busy", 1)


def test_one_run_at_a_time_has_no_shared_worker(results):
    _, given = results(lambda number, start: "complete", "tiny", None, n_jobs=1)
    assert given == [(False, [0]), (False, [1])]


def test_without_ray_the_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("harness.engine.extra.find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"install it with: pip install -e '.\[launchers\]'"), connected(None, 1):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "[::1]:1"])
def test_where_no_cluster_answers_is_said_at_once(address):
    with pytest.raises(SettingError, match="No Ray cluster answers at"), connected(address, 1):
        pass


def test_a_ray_that_does_not_start_is_one_sentence(monkeypatch):
    ray = pytest.importorskip("ray")

    def init(**settings):
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    said = r"Ray could not be started on this machine \(The current node timed out during startup\)\."
    with pytest.raises(HyperboleError, match=said), connected(None, 1):
        pass
