"""The incumbent: the lowest finite loss of the first objective at the highest fidelity.

The same rule is used by progress lines, summaries, W&B keys, methods that keep a history, and analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.scalars import finite


def counts(fidelity: object) -> bool:
    """Whether an evaluation counts: the highest fidelity, which trials and rows record as None."""
    return fidelity is None


def counted_loss(losses: Mapping[str, Any] | None, fidelity: object, objective: str) -> float | None:
    """The loss of a trial that counts for the incumbent; None if it does not count.

    Args:
        losses: Objective -> loss, as in a trial or a row; None if nothing was measured.
        fidelity: As in a trial or a row.
        objective: Name of the objective.

    Raises:
        KeyError: There are losses, but none of this objective.
    """
    return finite(losses[objective]) if losses is not None and counts(fidelity) else None


def loss_below(losses: Mapping[str, Any] | None, fidelity: object, objective: str) -> float | None:
    """A loss measured below the highest fidelity, which does not count; None if there is none."""
    return finite(losses[objective]) if losses is not None and not counts(fidelity) else None


class Incumbent:
    """The lowest loss that counts among the rows so far.

    Args:
        objective: Name of the first objective.

    Attributes:
        loss: None before the first loss that counts.
        below: Number of rows with a loss below the highest fidelity.
    """

    def __init__(self, objective: str) -> None:
        self._objective = objective
        self.loss: float | None = None
        self.below = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one row of ``trials.jsonl``."""
        losses, fidelity = row.get("losses"), row.get("fidelity")
        loss = counted_loss(losses, fidelity, self._objective)
        if loss is not None and (self.loss is None or loss < self.loss):
            self.loss = loss
        self.below += loss_below(losses, fidelity, self._objective) is not None
