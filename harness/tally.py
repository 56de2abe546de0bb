"""News of a sweep's jobs: lines that their processes append to one file, which the sweep's process reads.

It is how every launcher reports: ``Tally.found()`` in any process that the command started on this machine, then
``planned`` once, ``begun``, ``going`` and ``add`` per run. A launcher whose jobs run on other machines calls ``add``
when it receives a result.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "HYPERBOLE_TALLY"
PLANNED, BEGUN, GOING = "planned", "begun", "going"
"""What the lines say besides the ends of jobs, whose words are ``harness.job.Done.status``, failed and interrupted."""


@dataclass(slots=True)
class Tally:
    """A file that jobs append to; jobs on other machines, where it does not exist, are not counted.

    Attributes:
        path: The file.
        total: Number of jobs, or None if only the sweeper knows.
        started: Start of the sweep, in seconds since the epoch.
    """

    path: Path
    total: int | None
    started: float
    _read: int = field(default=0)

    @classmethod
    def begin(cls, total: int | None) -> Tally:
        """Create a tally, which all processes started later will find."""
        descriptor, name = tempfile.mkstemp(prefix="hyperbole-tally-")
        os.close(descriptor)
        started = time.time()
        os.environ[VARIABLE] = f"{'' if total is None else total}:{started}:{name}"
        return cls(Path(name), total, started)

    @classmethod
    def found(cls) -> Tally | None:
        """The tally of the sweep that this process belongs to; None outside a sweep."""
        if not (said := os.environ.get(VARIABLE)):
            return None
        total, started, name = said.split(":", 2)
        return cls(Path(name), int(total) if total else None, float(started)) if Path(name).exists() else None

    def planned(self, runs: Mapping[str, int]) -> None:
        """Say how many runs are to be worked on: by language model, ``""`` for those without one."""
        self._append(PLANNED, None, runs=dict(runs))

    def begun(self, folder: Path, llm: str | None) -> None:
        """Say that a run is worked on from now on."""
        self._append(BEGUN, folder, llm=llm or "")

    def going(self, folder: Path, counts: Mapping[str, float]) -> None:
        """Say what a run has counted so far; see ``harness.beat``."""
        self._append(GOING, folder, **counts)

    def add(self, status: str, folder: Path | None) -> None:
        """Say how a job ended."""
        self._append(status, folder)

    def _append(self, status: str, folder: Path | None, **more: Any) -> None:
        line = json.dumps({"status": status, "folder": None if folder is None else str(folder), **more}) + "\n"
        with contextlib.suppress(OSError):  # it is gone if the sweep has ended
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(file, line.encode())  # one write per line, so lines of jobs are not mixed
            finally:
                os.close(file)

    def ends(self) -> int:
        """Number of jobs that have ended since the last call."""
        return sum(each["status"] not in (PLANNED, BEGUN, GOING) for each in self.news())

    def news(self) -> list[dict[str, Any]]:
        """The lines added since the last call."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except OSError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def end(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        os.environ.pop(VARIABLE, None)
