"""Detect trials that evaluated the same as an earlier trial of the run.

``duplicate_of`` compares proposals instead: an invalid proposal without a repair was never evaluated, and two
different proposals may evaluate the same configuration (through a repair, or a level that the benchmark shares).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from harness.choices import text_of
from harness.trial import Trial


class Repeats:
    """Compares what the trials of one run evaluated, in order: rows of the log, or the trials themselves."""

    def __init__(self) -> None:
        self._first: dict[str, Any] = {}

    def row(self, row: Mapping[str, Any]) -> bool:
        """Whether an earlier row evaluated the same at the same fidelity, successfully or not."""
        return self._seen(row.get("executed"), row.get("evaluated"), row.get("fidelity"), row) is not None

    def trial(self, trial: Trial) -> Trial:
        """The trial with the index of the first one that evaluated the same at the same fidelity, if any."""
        evaluated = None if trial.outcome is None else trial.outcome.evaluated
        return dataclasses.replace(trial, repeats=self._seen(trial.params, evaluated, trial.proposal.fidelity, trial))

    def _seen(self, executed: Any, evaluated: Any, fidelity: Any, item: Any) -> Any:
        if executed is None:
            return None
        known = {"executed": executed, "evaluated": evaluated}
        keys = [text_of({what: params, "fidelity": fidelity}) for what, params in known.items() if params is not None]
        first = next((self._first[key] for key in keys if key in self._first), None)
        for key in keys:
            self._first.setdefault(key, item if first is None else first)
        return first
