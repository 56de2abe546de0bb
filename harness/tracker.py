"""Watching runs from elsewhere. A tracker sees the rows that go to disk, and no failure of it reaches the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Follows one run. ``start`` comes first, ``log`` once per trial in order, ``finish`` last."""

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """A run begins or is resumed: its folder and the contents of its ``run.json``."""
        ...

    def log(self, row: dict[str, Any]) -> None:
        """One row of ``trials.jsonl``. On a resumed run the rows already on disk come first."""
        ...

    def finish(self, run: dict[str, Any]) -> None:
        """The run has ended: the final contents of ``run.json``."""
        ...


class Late:
    """A tracker that begins with the first row, so that nothing is seen of a run that is refused before it has one."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._begin: Callable[[], None] | None = None

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Remember what to begin with."""
        self._begin = lambda: self._tracker.start(folder, run)

    def log(self, row: dict[str, Any]) -> None:
        """Pass a row on."""
        self._started().log(row)

    def finish(self, run: dict[str, Any]) -> None:
        """Pass the end on, also of a run without rows."""
        self._started().finish(run)

    def _started(self) -> Tracker:
        if self._begin is not None:
            self._begin()
            self._begin = None
        return self._tracker


class NoTracker:
    """tracker=none: nobody watches; the logs on disk are complete without."""

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Do nothing."""

    def log(self, row: dict[str, Any]) -> None:
        """Do nothing."""

    def finish(self, run: dict[str, Any]) -> None:
        """Do nothing."""
