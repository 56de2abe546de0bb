"""Interface of trackers. A tracker sees the rows written to disk; its failures never affect the run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from harness.masking import brief


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


class Guarded:
    """A tracker whose failures never reach the run: the first is reported, and the run continues without it.

    It is started with the first row, so that a run that is refused before that is not tracked at all.

    Args:
        tracker: Any tracker.
    """

    def __init__(self, tracker: Tracker) -> None:
        self._tracker: Tracker | None = tracker
        self._begin: Callable[[], None] | None = None

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Remember the arguments."""
        self._begin = lambda: self._guarded(lambda tracker: tracker.start(folder, run))

    def log(self, row: dict[str, Any]) -> None:
        """Pass a row on."""
        self._pass_on(lambda tracker: tracker.log(row))

    def finish(self, run: dict[str, Any]) -> None:
        """Pass the end on, also for a run without rows."""
        self._pass_on(lambda tracker: tracker.finish(run))

    def _pass_on(self, call: Callable[[Tracker], None]) -> None:
        if self._begin is not None:
            begin, self._begin = self._begin, None
            begin()
        self._guarded(call)

    def _guarded(self, call: Callable[[Tracker], None]) -> None:
        if self._tracker is None:
            return
        try:
            call(self._tracker)
        except (Exception, SystemExit) as error:
            name, self._tracker = type(self._tracker).__name__, None
            sys.stderr.write(
                f"The tracker {name} failed ({brief(f'{type(error).__name__}: {error}')}); the run continues without "
                "it, and its logs on disk are complete.\n"
            )


class NoTracker:
    """tracker=none: no tracking; the logs on disk are complete."""

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Do nothing."""

    def log(self, row: dict[str, Any]) -> None:
        """Do nothing."""

    def finish(self, run: dict[str, Any]) -> None:
        """Do nothing."""
