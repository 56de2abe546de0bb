"""Interface of trackers. A tracker sees the rows written to disk; its failures never affect the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Follows one run: ``start``, then ``log`` once per trial in order, then ``finish``."""

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Called when a run starts or is resumed, with its folder and the contents of its ``run.json``."""
        ...

    def log(self, row: dict[str, Any]) -> None:
        """Called with each row of ``trials.jsonl``; a resumed run passes the rows already on disk first."""
        ...

    def finish(self, run: dict[str, Any]) -> None:
        """Called at the end of the run with the final contents of ``run.json``."""
        ...


class Late:
    """A tracker that starts with the first row, so that a run refused before its first trial is not tracked."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._begin: Callable[[], None] | None = None

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Remember the arguments."""
        self._begin = lambda: self._tracker.start(folder, run)

    def log(self, row: dict[str, Any]) -> None:
        """Pass a row on."""
        self._started().log(row)

    def finish(self, run: dict[str, Any]) -> None:
        """Pass the end on, also for a run without rows."""
        self._started().finish(run)

    def _started(self) -> Tracker:
        if self._begin is not None:
            self._begin()
            self._begin = None
        return self._tracker


class NoTracker:
    """tracker=none: no tracking; the logs on disk are complete."""

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Do nothing."""

    def log(self, row: dict[str, Any]) -> None:
        """Do nothing."""

    def finish(self, run: dict[str, Any]) -> None:
        """Do nothing."""
