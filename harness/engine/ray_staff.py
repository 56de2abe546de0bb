"""Workers on the nodes of a Ray cluster: how many there are, which runs they have, and what they report."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.engine.pool import GRACE_SECONDS, Task
from harness.engine.ray_cluster import Node, nodes
from harness.engine.ray_worker import RayWorker
from harness.engine.worker import Result
from harness.errors import RunError

MOST_FAILURES = 3
"""Workers of a node that may end in a row before they have begun; then the node is left alone."""
EMPTY_SECONDS = 60.0
"""How long to wait for a node when there is none."""


@dataclass(slots=True, eq=False)
class Worker:
    """An actor.

    Attributes:
        actor: Ray's handle.
        node: Where it is.
        is_shared: Whether it is for runs with a language model, many at a time.
        capacity: Number of runs at a time.
        starting: Ray's reference to its report that it is ready; None afterwards.
        tasks: The runs that it has, by Ray's reference.
    """

    actor: Any
    node: Node
    is_shared: bool
    capacity: int
    starting: Any
    tasks: dict[Any, Task] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The name of its machine."""
        return self.node.host


class Staff:
    """The workers of one command: for classical methods one per core, for runs with a language model one per node.

    Args:
        ray: The module, connected.
        sign: See ``harness.engine.sign``.
        n_jobs: Number of runs with a language model at a time; each node gets its share of them.
        processes: Number of workers for classical methods.
    """

    def __init__(self, ray: Any, sign: Path, n_jobs: int, processes: int) -> None:
        self._ray, self._sign = ray, sign
        self._most = {False: processes, True: n_jobs}
        self._workers: list[Worker] = []
        self._failures = Counter[str]()
        self._empty_since: float | None = None
        self._told: set[str] = set()
        self._environment = {name: value for name, value in os.environ.items() if name.startswith("HYPERBOLE_")}
        self._actor = ray.remote(RayWorker)

    @property
    def is_busy(self) -> bool:
        """Whether a worker has runs."""
        return any(worker.tasks for worker in self._workers)

    def ready(self) -> list[Worker]:
        """The workers that take runs."""
        return [worker for worker in self._workers if worker.starting is None]

    def has_room(self, worker: Worker, queued: int) -> bool:
        """Whether a worker may take another run: no more than its share of those under way and queued."""
        of_kind = [each for each in self._workers if each.is_shared == worker.is_shared]
        under_way = sum(len(each.tasks) for each in of_kind)
        share = math.ceil((under_way + queued) / len(of_kind))
        return len(worker.tasks) < min(worker.capacity, share) and under_way < self._most[worker.is_shared]

    def give(self, worker: Worker, task: Task) -> None:
        """Send a run to a worker."""
        worker.tasks[worker.actor.do.remote(*task)] = task

    def fill(self, queued: Mapping[bool, int]) -> None:
        """Start the workers that are missing, for so many queued runs.

        Raises:
            RunError: No node can be used.
        """
        usable = self._usable(any(queued.values()))
        for node in usable:
            for is_shared, runs in queued.items():
                of_kind = [worker for worker in self._workers if worker.is_shared == is_shared]
                here = sum(worker.node.id == node.id for worker in of_kind)
                capacity = math.ceil(self._most[True] / len(usable)) if is_shared else 1
                share = min(capacity, math.ceil(runs / len(usable)))  # so that no node is left out
                left = runs - sum(min(worker.capacity, share) for worker in of_kind if worker.starting is not None)
                places = 1 if is_shared else node.cores
                while here < places and len(of_kind) < self._most[is_shared] and left > 0:
                    of_kind.append(self._start(node, is_shared, capacity))
                    here, left = here + 1, left - share

    def _usable(self, is_needed: bool) -> list[Node]:
        alive = nodes(self._ray)
        usable = [node for node in alive if self._failures[node.id] < MOST_FAILURES]
        if usable or self._workers or not is_needed:
            self._empty_since = None
        elif alive:
            raise RunError(
                f"No node of the Ray cluster can run anything in {self._sign.parents[1]}; see above for why."
            )
        elif self._empty_since is None:
            self._empty_since = time.monotonic()
        elif time.monotonic() - self._empty_since > EMPTY_SECONDS:
            raise RunError("The Ray cluster has no node with cores; add one, then the same command continues.")
        return usable

    def _start(self, node: Node, is_shared: bool, capacity: int) -> Worker:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        options = {
            "num_cpus": 0 if is_shared else 1,
            "max_concurrency": capacity,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node.id, soft=False),
        }
        actor = self._actor.options(**options).remote(self._sign, Path.cwd(), sys.path, self._environment, capacity)
        worker = Worker(actor, node, is_shared, capacity, actor.ready.remote())
        self._workers.append(worker)
        return worker

    def news(self, seconds: float) -> Iterator[tuple[Worker, list[Task], Result | None]]:
        """What workers report within a time: runs and how they ended; with None, those of a worker that ended."""
        waited = {worker.starting: worker for worker in self._workers if worker.starting is not None}
        waited |= {reference: worker for worker in self._workers for reference in worker.tasks}
        if not waited:
            time.sleep(seconds)
            return
        first, _ = self._ray.wait(list(waited), timeout=seconds)
        done, _ = self._ray.wait(list(waited), num_returns=len(waited), timeout=0) if first else ([], [])
        for reference in done:
            worker = waited[reference]
            if worker in self._workers:
                yield from self._report(worker, reference)

    def _report(self, worker: Worker, reference: Any) -> Iterator[tuple[Worker, list[Task], Result | None]]:
        errors = self._ray.exceptions
        try:
            told = self._ray.get(reference)
        except errors.RayTaskError as error:  # the job or its result cannot be sent
            if reference in worker.tasks:
                task = worker.tasks.pop(reference)
                yield worker, [task], Result(task[0], error=RuntimeError(str(error.cause)), trace=f"{error}\n")
                return
            self._lost(worker, str(error))
        except errors.RayError as error:
            tasks = list(worker.tasks.values())
            self._lost(worker, str(error))
            yield worker, tasks, None
        else:
            if reference in worker.tasks:
                yield worker, [worker.tasks.pop(reference)], told
            elif told:
                worker.starting = None
                self._failures[worker.node.id] = 0
            else:
                self._failures[worker.node.id] += MOST_FAILURES
                self._lost(worker, f"it does not see {self._sign.parents[1]}; all machines must share it at this path")

    def _lost(self, worker: Worker, why: str) -> None:
        """Remove a worker; say so of a node that cannot be used."""
        self.dismiss(worker)
        if worker.starting is None:
            return
        node = worker.node
        self._failures[node.id] += 1
        is_new = self._failures[node.id] >= MOST_FAILURES and node.id not in self._told
        if is_new and any(each.id == node.id for each in nodes(self._ray)):
            self._told.add(node.id)
            last = next((line for line in reversed(why.splitlines()) if line.strip()), "").strip().rstrip(".")
            sys.stderr.write(f"The Ray node {node.host} is not used: {last}.\n")

    def dismiss(self, worker: Worker) -> None:
        """End a worker."""
        self._workers.remove(worker)
        with contextlib.suppress(Exception):
            self._ray.kill(worker.actor)

    def end(self) -> None:
        """End all workers; those that have runs may record the interruption, for which the sign must be gone."""
        under_way = [reference for worker in self._workers for reference in worker.tasks]
        try:
            if under_way:
                with contextlib.suppress(self._ray.exceptions.RayError):
                    self._ray.wait(under_way, num_returns=len(under_way), timeout=GRACE_SECONDS)
        finally:
            for worker in list(self._workers):
                self.dismiss(worker)
