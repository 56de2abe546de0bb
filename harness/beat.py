"""What a run in a sweep says of itself while it goes on: a line every few seconds, never one per trial."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.tally import Tally

SECONDS = 2.0
"""Shortest time between two lines; a run that is over sooner says nothing in between."""


class Beat:
    """Reports one run's counts to its sweep.

    Args:
        tally: The sweep's.
        folder: The run's.
        llm: Its language model, or None.
    """

    def __init__(self, tally: Tally, folder: Path, llm: str | None) -> None:
        self._tally, self._folder = tally, folder
        self._told, self._tokens = time.monotonic(), 0
        tally.begun(folder, llm)

    def begin(self) -> None:
        """Forget tokens of trials that were recorded before: they were not written now."""
        self._tokens = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one trial's row."""
        self._tokens += row["usage"]["completion_tokens"]

    @property
    def is_due(self) -> bool:
        """Whether it is time for a line."""
        return time.monotonic() - self._told > SECONDS

    def tell(self, totals: Mapping[str, Any], share: float) -> None:
        """Say the counts so far.

        Args:
            totals: ``harness.progress.Count.totals``.
            share: Used share of the budget.
        """
        self._told = time.monotonic()
        counts = {key: totals[key] for key in ("trials", "invented")}
        self._tally.going(self._folder, {**counts, "tokens": self._tokens, "share": share})
