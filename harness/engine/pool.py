"""Worker processes of one command, seen from that command."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import Any, Protocol

from harness.again import PRELOADED
from harness.engine.worker import Result, serve
from harness.errors import RunError
from harness.job import Job

GRACE_SECONDS = 10.0
"""Time that interrupted workers have to record it."""
DEATHS = 3
"""Deaths per worker, with no result in between, after which no more are started: it would fail run after run."""
Task = tuple[int, Job]


class Workers(Protocol):
    """Does jobs, here or elsewhere."""

    def results(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """The result of each job, as soon as it has ended."""
        ...


@dataclass(slots=True)
class _Worker:
    """A process, its end of the pipe, the jobs that it has, and whether it has begun to take them."""

    process: Any
    channel: connection.Connection
    capacity: int
    jobs: dict[int, Job] = field(default_factory=dict)
    is_ready: bool = False

    def send(self, task: Task | None) -> None:
        with contextlib.suppress(OSError):  # it has died, which its sentinel says
            self.channel.send(task)


class Pool:
    """Does jobs in worker processes, which are started once and end with the last job.

    Classical methods keep a core busy: each of their workers has one run at a time. Runs with a language model mostly
    wait for it: one worker has many of them at a time, each in its own thread, so that the server's batch is full.

    Args:
        n_jobs: Number of runs with a language model at a time; 1 for one run at a time of any kind.
        processes: Number of workers for classical methods.
        is_done: Whether the job of a number has been done elsewhere meanwhile; asked before it is begun.
    """

    def __init__(self, n_jobs: int, processes: int, is_done: Callable[[int], bool] | None = None) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._n_jobs, self._processes = n_jobs, min(processes, n_jobs)
        self._workers: list[_Worker] = []
        self._deaths = {False: 0, True: 0}
        self._is_done = is_done

    def results(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """The result of each job, as soon as it has ended.

        Raises:
            KeyboardInterrupt: The command is interrupted; so are its workers.
        """
        queues = {False: deque[Task](), True: deque[Task]()}
        for number, job in tasks:
            queues[shares_worker(job, self._n_jobs)].append((number, job))
        try:
            for uses_model, queue in queues.items():
                for _ in range(min(len(queue), 1 if uses_model else self._processes)):
                    self._start(self._n_jobs if uses_model else 1)
            while self._workers:
                yield from self._step(queues)
        except BaseException:
            self._interrupt()
            raise

    def _start(self, capacity: int) -> None:
        ours, theirs = self._context.Pipe()
        process = self._started(theirs, capacity)
        theirs.close()
        self._workers.append(_Worker(process, ours, capacity))

    def _started(self, channel: connection.Connection, capacity: int) -> Any:
        """A new worker process. The fork server is started again if it has been killed, which is noticed late."""
        for wait_seconds in (0.0, 0.1, 0.5, 1.0, None):
            process = self._context.Process(target=serve, args=(channel, capacity), name="hyperbole-worker")
            try:
                process.start()
                return process
            except (OSError, EOFError):
                if wait_seconds is None:
                    raise
                time.sleep(wait_seconds)
        raise AssertionError("the last attempt returns or raises")

    def _step(self, queues: dict[bool, deque[Task]]) -> Iterator[Result]:
        """Send jobs to workers with room, wait for news, and pass them on."""
        for worker in list(self._workers):
            queue = queues[worker.capacity > 1]
            while queue and len(worker.jobs) < worker.capacity:
                number, job = queue.popleft()
                if self._is_done is not None and self._is_done(number):
                    continue
                worker.jobs[number] = job
                worker.send((number, job))
            if not worker.jobs:
                worker.send(None)
                self._workers.remove(worker)
        if not self._workers:
            return
        by_handle = {handle: each for each in self._workers for handle in (each.channel, each.process.sentinel)}
        for worker in {id(by_handle[each]): by_handle[each] for each in connection.wait(list(by_handle))}.values():
            yield from self._news(worker, queues[worker.capacity > 1])

    def _news(self, worker: _Worker, queue: deque[Task]) -> Iterator[Result]:
        """The results that a worker has sent; another one is started in the place of one that has died."""
        try:
            while worker.channel.poll():
                told: Result | str = worker.channel.recv()
                worker.is_ready = True
                if isinstance(told, str):
                    continue
                del worker.jobs[told.number]
                self._deaths[worker.capacity > 1] = 0
                yield told
            if worker.process.exitcode is None:
                return
        except (EOFError, OSError):
            worker.process.join()
        self._workers.remove(worker)
        yield from self._after_death(worker, queue)

    def _after_death(self, worker: _Worker, queue: deque[Task]) -> Iterator[Result]:
        """Fail the runs that a worker had begun; then start another one, or fail what is left if each of them dies."""
        kind, how = worker.capacity > 1, ending(worker.process.exitcode)
        if worker.is_ready:
            for number, job in worker.jobs.items():
                said = f"{job.place}: its process ended with {how}; the same command resumes the run."
                yield Result(number, error=RunError(said))
        else:
            queue.extendleft(reversed(worker.jobs.items()))
        self._deaths[kind] += 1
        if not queue:
            return
        side_by_side = 1 + sum(each.capacity == worker.capacity for each in self._workers)
        if self._deaths[kind] < DEATHS * side_by_side:
            self._start(worker.capacity)
            return
        said = f"not started, since {self._deaths[kind]} worker processes in a row ended without a result, the last one"
        while queue:
            number, job = queue.popleft()
            yield Result(number, error=RunError(f"{job.place}: {said} with {how}."))

    def _interrupt(self) -> None:
        """End the workers: they are asked first, so that runs can record the interruption."""
        for worker in self._workers:
            with contextlib.suppress(OSError, ValueError):
                if worker.process.pid is not None and worker.process.exitcode is None:
                    os.kill(worker.process.pid, signal.SIGINT)
        end = time.monotonic() + GRACE_SECONDS
        for worker in self._workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()
        self._workers.clear()
        sys.stderr.flush()


def ending(code: int | None) -> str:
    """How a process ended, from its exit code."""
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def shares_worker(job: Job, n_jobs: int) -> bool:
    """Whether a run is done beside others in one worker: it has a language model, and several may run at a time."""
    return n_jobs > 1 and job.identity["llm"] is not None


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
