"""A worker that a batch system starts: it pulls missing runs from the shared queue until all are done or under way."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engine.pool import Pool, Task, cores
from harness.engine.shared_queue import SharedQueue
from harness.engine.sign import is_shown
from harness.holder import began

LOOK_SECONDS = 0.5
"""How often a worker looks whether its command goes on."""


@dataclass(frozen=True, slots=True)
class BatchWorker:
    """What submitit sends to each worker of an array. One that the batch system starts again goes on with what is left.

    Args:
        queue: The runs.
        sign: See ``harness.engine.sign``.
        workers: Number of workers in the array.
        n_jobs: Number of runs with a language model at a time, of all workers together.
        processes: Number of runs of classical methods at a time in one worker; None for one per core.
        command: Process id and start time of the command, if its workers run beside it and end with it.
    """

    queue: SharedQueue
    sign: Path
    workers: int
    n_jobs: int
    processes: int | None
    command: tuple[int, str | None] | None = None

    def __call__(self, worker: int) -> None:
        """Work, as the worker of this number."""
        if not is_shown(self.sign):
            return
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=self._end_with_command, name="command-watch", daemon=True).start()
        pool = Pool(math.ceil(self.n_jobs / self.workers), self.processes or cores(), self.queue.has)
        left = self.queue.tasks_of(worker, self.workers)
        for _ in range(2):  # the second time those that another worker had: it may have ended
            left = self._work(pool, left)

    def checkpoint(self, worker: int) -> Any:
        """What is started again when the batch system ends this worker for its time limit or for another user."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, worker)

    def _work(self, pool: Pool, tasks: list[Task]) -> list[Task]:
        """Do the runs that are left; returns those that other workers have."""
        jobs, busy = dict(tasks), []
        for result in pool.results(tasks):
            if result.done is not None and result.done.status == "busy":
                busy.append((result.number, jobs[result.number]))
            else:
                self.queue.add(result)
        return busy

    def _end_with_command(self) -> None:
        while is_shown(self.sign) and (self.command is None or began(self.command[0]) == self.command[1]):
            time.sleep(LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGINT)
