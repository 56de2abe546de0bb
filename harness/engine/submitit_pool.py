"""An array of workers that submitit starts, on Slurm or on this machine, seen from the command that started them."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from harness.engine.batch_worker import BatchWorker
from harness.engine.extra import check_installed
from harness.engine.pool import GRACE_SECONDS, Task
from harness.engine.shared_queue import SharedQueue
from harness.engine.sign import LASTING, SUFFIX, queue_beside, shown
from harness.engine.worker import Result
from harness.errors import HyperboleError, RunError, SettingError
from harness.holder import began
from harness.job import Done, Job

LOOK_SECONDS = 0.5
"""How often the queue is looked at."""
LATE_SECONDS = 10.0
"""How long a network's file system may take to show the last results of workers that have ended."""
_OF_SUBMITIT = frozenset({"name", "timeout_min", "mem_gb", "cpus_per_task", "gpus_per_node", "stderr_to_stdout"})
"""Settings that submitit knows for every cluster; others are the cluster's own."""


class SubmititPool:
    """Does jobs in an array of workers that pull them from a queue in the runs' folder.

    Interrupting the command ends its workers. When it is killed, workers on Slurm go on; those on this machine end.

    Args:
        cluster: Where the workers run.
        workers: Their number, at most one per job.
        n_jobs: Number of runs with a language model at a time, of all workers together.
        processes: Number of runs of classical methods at a time in one worker; None for one per core.
        folder: For submitit's own files.
        settings: What submitit and the cluster are told; null is left out.

    Raises:
        SettingError: submitit is not installed, or there is no Slurm here.
    """

    def __init__(
        self,
        cluster: Literal["slurm", "local"],
        workers: int,
        n_jobs: int,
        processes: int | None,
        folder: Path,
        settings: Mapping[str, Any],
    ) -> None:
        check_installed(f"submitit_{cluster}", "submitit")
        if cluster == "slurm" and shutil.which("sbatch") is None:
            raise SettingError(
                "hydra/launcher=submitit_slurm needs Slurm, but this machine has no sbatch; give the command on a "
                "machine of the cluster, or leave hydra/launcher out to use this machine."
            )
        self._cluster, self._workers, self._n_jobs, self._processes = cluster, workers, n_jobs, processes
        self._folder, self._settings = folder, settings

    def results(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """The result of each job, soon after it has ended.

        Raises:
            SettingError: Slurm refuses the workers.
            KeyboardInterrupt: The command is interrupted; so are its workers.
        """
        if not tasks:
            return
        experiment = tasks[0][1].folder.path.parents[2]
        with shown(experiment, LASTING if self._cluster == "slurm" else SUFFIX) as sign:
            queue = SharedQueue(queue_beside(sign))
            queue.write(tasks)
            array = self._submitted(queue, sign, min(self._workers, len(tasks)))
            try:
                yield from self._collected(queue, dict(tasks), array)
            finally:
                sign.unlink(missing_ok=True)
                _end(array)

    def _submitted(self, queue: SharedQueue, sign: Path, workers: int) -> list[Any]:
        import submitit
        from submitit.core.utils import FailedJobError

        own = {"max_num_timeout"}
        given = {name: value for name, value in self._settings.items() if value is not None}
        init = {f"{self._cluster}_{name}": given[name] for name in own if name in given}
        told = {
            name if name in _OF_SUBMITIT else f"{self._cluster}_{name}": value
            for name, value in given.items()
            if name not in own
        }
        command = (os.getpid(), began(os.getpid())) if self._cluster == "local" else None
        worker = BatchWorker(queue, sign, workers, self._n_jobs, self._processes, command)
        try:
            executor = submitit.AutoExecutor(folder=self._folder, cluster=self._cluster, **init)
            executor.update_parameters(**told)
            return executor.map_array(worker, range(workers))
        except (FailedJobError, RuntimeError, ValueError, TypeError, NameError) as error:
            said = " ".join(str(error).split()).rstrip(".")
            raise SettingError(f"submitit could not start the workers ({said}).") from None

    def _collected(self, queue: SharedQueue, jobs: Mapping[int, Job], array: Sequence[Any]) -> Iterator[Result]:
        left, ended = set(jobs), None
        while left:
            yield from queue.results(left)
            if ended is None and all(job.done() for job in array):
                ended = time.monotonic()
            elif ended is not None and time.monotonic() - ended > LATE_SECONDS:
                break
            time.sleep(LOOK_SECONDS)
        for number in sorted(left):
            yield _undone(number, jobs[number], self._folder)


def _undone(number: int, job: Job, folder: Path) -> Result:
    """The result of a run that no worker has done: another command has it, or its worker ended."""
    with contextlib.suppress(HyperboleError), job.folder.lock() as held:
        if not held:
            return Result(number, Done("busy", job.folder.path))
    said = f"its workers ended without it; their logs are in {folder.parent}, and the same command resumes the run"
    return Result(number, error=RunError(f"{job.place}: {said}."))


def _end(array: Sequence[Any]) -> None:
    """Wait for the workers, which end when the sign is gone; then cancel those that have not."""
    end = time.monotonic() + GRACE_SECONDS
    while not all(job.done() for job in array) and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
    for job in array:
        if not job.done():
            with contextlib.suppress(Exception):
                job.cancel(check=False)
