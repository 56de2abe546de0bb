"""Which trials evaluated what had been evaluated before in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.choices import text_of


class Repeats:
    """Remembers what the trials of one run evaluated, fed their rows in order.

    Unlike ``duplicate_of``, which compares proposals: one that was invalid and not repaired was never evaluated, and
    two different ones may come down to the same (a repair, a level that the benchmark takes for both).
    """

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, row: Mapping[str, Any]) -> bool:
        """Whether an earlier trial evaluated the same at the same fidelity, with success or not."""
        if row.get("executed") is None:
            return False
        level = row.get("fidelity")
        keys = {
            text_of({"what": what, "configuration": row[what], "fidelity": level})
            for what in ("executed", "evaluated")
            if row.get(what) is not None
        }
        known = bool(keys & self._known)
        self._known |= keys
        return known
