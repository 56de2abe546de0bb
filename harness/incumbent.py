"""What counts for the incumbent: the lowest loss of the first objective, finite, at the highest fidelity.

The one rule of progress lines, summaries, W&B keys, methods that keep a history, and analysis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.scalars import finite


def counts(fidelity: object) -> bool:
    """Whether an evaluation counts: of the loop's trials and rows, the highest fidelity alone has None."""
    return fidelity is None


def counted_loss(losses: Mapping[str, Any] | None, fidelity: object, objective: str) -> float | None:
    """The loss with which a trial counts; None where it does not.

    Args:
        losses: Objective -> loss, as in a trial or a row; None where nothing was measured.
        fidelity: As in a trial or a row.
        objective: Name of the objective.

    Raises:
        KeyError: There are losses, and none of this objective.
    """
    return finite(losses[objective]) if losses is not None and counts(fidelity) else None


def loss_below(losses: Mapping[str, Any] | None, fidelity: object, objective: str) -> float | None:
    """The loss that does not count because it was measured below the highest fidelity; None where none was."""
    return finite(losses[objective]) if losses is not None and not counts(fidelity) else None


class Incumbent:
    """The lowest loss of the rows so far that counts.

    Args:
        objective: Name of the first objective.

    Attributes:
        loss: None where none has counted yet.
        below: How many rows have a loss below the highest fidelity.
    """

    def __init__(self, objective: str) -> None:
        self._objective = objective
        self.loss: float | None = None
        self.below = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Take one row of ``trials.jsonl`` in."""
        losses, fidelity = row.get("losses"), row.get("fidelity")
        loss = counted_loss(losses, fidelity, self._objective)
        if loss is not None and (self.loss is None or loss < self.loss):
            self.loss = loss
        self.below += loss_below(losses, fidelity, self._objective) is not None
