"""Which trials evaluated what had been evaluated before in the same run.

Unlike ``duplicate_of``, which compares proposals: one that was invalid and not repaired was never evaluated, and two
different ones may come down to the same (a repair, a level that the benchmark takes for both).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from harness.choices import text_of
from harness.trial import Trial


class Repeats:
    """Remembers what the trials of one run evaluated, in order: rows of the log, or the trials themselves."""

    def __init__(self) -> None:
        self._first: dict[str, Any] = {}

    def row(self, row: Mapping[str, Any]) -> bool:
        """Whether an earlier row evaluated the same at the same fidelity, with success or not."""
        return self._seen(row.get("executed"), row.get("evaluated"), row.get("fidelity"), row) is not None

    def trial(self, trial: Trial) -> Trial:
        """The trial with the first one that evaluated the same at the same fidelity, if there is one."""
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
