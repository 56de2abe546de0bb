"""The queue of missing runs, pulled by workers on the nodes of a Ray cluster."""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence

from harness.engine.pool import Task, shares_worker
from harness.engine.ray_cluster import connected
from harness.engine.ray_staff import Staff, Worker
from harness.engine.sign import shown
from harness.engine.worker import Result
from harness.errors import RunError

LOOK_SECONDS = 2.0
"""How often nodes and waiting runs are looked at."""
MOST_STARTS = 3
"""How often one run is started; each further time because its worker has ended."""
ALONE_FROM = 2
"""Number of starts after which a run gets a worker of its own: one that ends its worker then takes no others along."""
FREED_SECONDS = 120.0
"""How long the lock of a run may outlive its worker: a network's file system notices late that a machine has ended."""


class RayPool:
    """Does jobs in workers on the nodes of a Ray cluster that share the runs' folder with this machine.

    The runs of a worker that ends, also with its node, are put back into the queue and go on from their logs elsewhere;
    their locks keep them from being run twice. ``harness.engine.ray_staff`` says how many workers there are.

    Args:
        n_jobs: Number of runs with a language model at a time, on all nodes together; 1 for one run of any kind.
        processes: Number of runs of classical methods at a time, on all nodes together; None for one per core.
        address: See ``harness.engine.ray_cluster.connected``.
        cores: Number of cores of this machine to use, if Ray is started here.
    """

    def __init__(self, n_jobs: int, processes: int | None, address: str | None, cores: int) -> None:
        self._n_jobs, self._address, self._cores = n_jobs, address, cores
        self._processes = n_jobs if processes is None else min(processes, n_jobs)
        self._queues = {False: deque[Task](), True: deque[Task]()}
        self._waiting: list[Task] = []
        self._starts, self._locked_since = Counter[int](), dict[int, float]()

    def results(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """The result of each job, as soon as it has ended.

        Raises:
            HyperboleError: There is no Ray, no cluster, or no node that can be used.
            KeyboardInterrupt: The command is interrupted; so are its workers.
        """
        if not tasks:
            return
        for task in tasks:
            self._queue(task)
        experiment = tasks[0][1].folder.path.parents[2]
        with connected(self._address, self._cores) as ray, shown(experiment) as sign:
            staff = Staff(ray, sign, self._n_jobs, self._processes)
            try:
                yield from self._all(staff)
            finally:
                sign.unlink(missing_ok=True)
                staff.end()

    def _queue(self, task: Task) -> None:
        number, job = task
        is_shared = shares_worker(job, self._n_jobs) and self._starts[number] < ALONE_FROM
        self._queues[is_shared].append(task)

    def _all(self, staff: Staff) -> Iterator[Result]:
        looked = -LOOK_SECONDS
        while any(self._queues.values()) or self._waiting or staff.is_busy:
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                waiting, self._waiting = self._waiting, []
                for task in waiting:
                    self._queue(task)
                staff.fill({kind: len(queue) for kind, queue in self._queues.items()})
            for worker in staff.ready():
                self._feed(staff, worker)
            for worker, tasks, told in staff.news(LOOK_SECONDS):
                for task in tasks:
                    yield from self._ended(task, worker, told)

    def _feed(self, staff: Staff, worker: Worker) -> None:
        queue = self._queues[worker.is_shared]
        while queue and staff.has_room(worker, len(queue)):
            self._starts[queue[0][0]] += 1
            staff.give(worker, queue.popleft())
        if not worker.tasks and not queue:
            staff.dismiss(worker)

    def _ended(self, task: Task, worker: Worker, told: Result | None) -> Iterator[Result]:
        """Pass a result on, or put a run back whose worker has ended, or whose lock its former worker still has."""
        number, job = task
        if told is None:
            if self._starts[number] < MOST_STARTS:
                sys.stderr.write(f"{job.place}: its worker on {worker.host} ended; the run is back in the queue.\n")
                self._waiting.append(task)
                return
            said = f"its worker ended, the last of {MOST_STARTS} times on {worker.host}"
            told = Result(number, error=RunError(f"{job.place}: {said}; the same command resumes the run."))
        elif self._starts[number] > 1 and told.done is not None and told.done.status == "busy":
            since = self._locked_since.setdefault(number, time.monotonic())
            if time.monotonic() - since < FREED_SECONDS:
                self._starts[number] -= 1
                self._waiting.append(task)
                return
        yield told
