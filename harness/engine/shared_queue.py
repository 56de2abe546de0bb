"""A queue of runs in a folder that several machines see: each worker takes what no other one has done or is doing.

The locks of the runs keep two workers from one run, and are freed when a worker ends, so nothing is claimed for good.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.engine.pool import Task
from harness.engine.worker import Result
from harness.files import replace_file

TASKS = "tasks"


@dataclass(frozen=True, slots=True)
class SharedQueue:
    """The runs, and a file with the result of each that has ended.

    Args:
        folder: Where they are.
    """

    folder: Path

    def write(self, tasks: Sequence[Task]) -> None:
        """Begin the queue.

        Raises:
            DiskError: It cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_file(self.folder / TASKS, pickle.dumps(list(tasks)))

    def tasks_of(self, worker: int, workers: int) -> list[Task]:
        """All runs in the order of one worker: each begins at another place, and meets the others at the end."""
        tasks: list[Task] = pickle.loads((self.folder / TASKS).read_bytes())  # noqa: S301 (our own)
        first = worker * len(tasks) // workers
        return tasks[first:] + tasks[:first]

    def add(self, result: Result) -> None:
        """Record how a run ended."""
        replace_file(self._result(result.number), pickle.dumps(result))

    def has(self, number: int) -> bool:
        """Whether a run has ended."""
        return self._result(number).exists()

    def results(self, left: set[int]) -> Iterator[Result]:
        """The results of runs that are in ``left``, which they are then removed from."""
        names = {path.name for path in self.folder.iterdir()}
        for number in sorted(left):
            if f"{number}" in names:
                left.discard(number)
                result: Result = pickle.loads(self._result(number).read_bytes())  # noqa: S301 (our own)
                yield result

    def _result(self, number: int) -> Path:
        return self.folder / f"{number}"
