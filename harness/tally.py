"""Results of a sweep's jobs: one line per job, appended by its process and read by the sweep's process."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "HYPERBOLE_TALLY"


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

    def add(self, status: str, folder: Path | None) -> None:
        """Append the end of a job."""
        line = json.dumps({"status": status, "folder": None if folder is None else str(folder)}) + "\n"
        try:
            with self.path.open("ab", buffering=0) as file:  # one write per line, so lines of jobs are not mixed
                file.write(line.encode())
        except OSError:
            return

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
