"""Number of proposals of a step that samples several at once."""

from __future__ import annotations

from harness.budget import Budget, Spent


def batch_size(wanted: int, budget: Budget, spent: Spent) -> int:
    """The wanted number, or the rest of the budget if it is smaller; at least one.

    Tokens and seconds are not planned, since the cost of a reply is unknown.
    """
    limits = ((budget.proposals, spent.proposals), (budget.evaluations, spent.evaluations))
    left = [limit - used for limit, used in limits if limit is not None]
    return max(1, min([wanted, *left]))
