"""What a person at a terminal sees: one line a run, one for the sweep. Quiet when standard error is no terminal."""

from __future__ import annotations

import sys
import time
from typing import Any

REFRESH_SECONDS = 0.1


class RunLine:
    """One line about one run.

    Args:
        label: Names the run.
        live: Whether the line is redrawn after trials; runs side by side write theirs once, at the end.
    """

    def __init__(self, label: str, objective: Any, live: bool) -> None:
        self._label = label
        self._objective = objective
        self._shown = sys.stderr.isatty()
        self._live = live
        self._drawn = 0.0
        self._started = time.monotonic()
        self._trials = self._invalid = 0
        self._best: float | None = None

    def add(self, row: dict[str, Any]) -> None:
        """Count one trial's row."""
        self._trials += 1
        self._invalid += bool(row["violations"])
        if row["losses"] is not None and row["fidelity"] is None:
            loss = row["losses"][self._objective.name]
            self._best = loss if self._best is None else min(self._best, loss)
        if self._live and self._shown and time.monotonic() - self._drawn > REFRESH_SECONDS:
            self._drawn = time.monotonic()
            sys.stderr.write(f"\r\x1b[K{self.text()}")
            sys.stderr.flush()

    def text(self) -> str:
        """The line."""
        best = (
            "none valid yet"
            if self._best is None
            else f"{self._objective.name} {self._objective.value(self._best):.4g}"
        )
        seconds = time.monotonic() - self._started
        return f"{self._label}: {self._trials} proposals, {self._invalid} invalid, {best}, {seconds:.0f} s"

    def clear(self) -> None:
        """Leave no line."""
        if self._live and self._shown:
            sys.stderr.write("\r\x1b[K")

    def close(self, ending: str = "") -> None:
        """Write the line a last time and leave it standing."""
        if self._shown:
            sys.stderr.write(f"{chr(13) + chr(27) + '[K' if self._live else ''}{self.text()}{ending}\n")
            sys.stderr.flush()


def say(text: str) -> None:
    """One line for a person; nothing in a pipe."""
    if sys.stderr.isatty():
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
