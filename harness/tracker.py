"""Watching runs from elsewhere. A tracker sees the rows that go to disk, and no failure of it reaches the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Follows one run. ``start`` comes first, ``log`` once a trial in order, ``finish`` last."""

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """A run begins or is resumed: its folder and the contents of its ``run.json``."""
        ...

    def log(self, row: dict[str, Any]) -> None:
        """One row of ``trials.jsonl``. On a resumed run the rows already on disk come first."""
        ...

    def finish(self, run: dict[str, Any]) -> None:
        """The run has ended: the final contents of ``run.json``."""
        ...


class NoTracker:
    """tracker=none: nobody watches; the logs on disk are complete without."""

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Do nothing."""

    def log(self, row: dict[str, Any]) -> None:
        """Do nothing."""

    def finish(self, run: dict[str, Any]) -> None:
        """Do nothing."""
