"""Report a run that cannot have a result, or has none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from harness.budget import Budget
from harness.contract import unwrapped
from harness.errors import FruitlessError
from harness.masking import without_secrets
from harness.visible import visible

_ERROR_CHARACTERS = 300


class Failures:
    """Count failed evaluations and keep the first error."""

    def __init__(self) -> None:
        self._evaluations = self._failed = self._alike = 0
        self._first = ""

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one trial's row."""
        self._evaluations += row["executed"] is not None
        if row["error"] is None:
            return
        error = str(row["error"])
        self._first = self._first or error
        self._failed += 1
        self._alike += error == self._first

    def refuse_all(self, run: str) -> None:
        """Make sure that not all evaluations failed. A run without evaluations passes: its proposals were all invalid.

        Raises:
            FruitlessError: All failed; the message has the first error and its count.
        """
        if not self._evaluations or self._failed < self._evaluations:
            return
        error = without_secrets(visible(self._first.strip()))
        shown = error if len(error) <= _ERROR_CHARACTERS else f"{error[:_ERROR_CHARACTERS]}..."
        often = "all" if self._alike == self._failed else f"{self._alike} of them"
        raise FruitlessError(
            f"{run}: all {self._failed} evaluations failed, {often} with: {shown or 'no reason given'}"
        )


def warn_of_short_budget(run: str, optimizer: object, budget: Budget) -> None:
    """Warn that the budget ends within the first bracket of a multi-fidelity method, and give the bracket's size.

    Args:
        run: Name of the run.
        optimizer: May have ``first_bracket``: its number of trials, and how many of the last use the highest fidelity.
        budget: Budget of the run.
    """
    bracket = getattr(unwrapped(optimizer), "first_bracket", None)
    if bracket is None or budget.trials is None:
        return
    (trials, highest), started = bracket, getattr(optimizer, "start_trials", 0)
    needed = trials + started
    if budget.trials >= needed:
        return
    limits = {"proposals": budget.proposals, "evaluations": budget.evaluations}
    advice = " ".join(
        f"budget.{name}={needed}" for name, limit in limits.items() if limit is not None and limit < needed
    )
    after = f" after {started} of the start" if started else ""
    sys.stderr.write(
        f"{run}: a budget of {budget.trials} trials is smaller than the first bracket, which has {trials}{after}; only "
        f"the last of these ({highest}) reach the highest fidelity, where results count: give {advice}.\n"
    )
    sys.stderr.flush()
