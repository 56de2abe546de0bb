"""How many proposals a step that samples several at once may make."""

from __future__ import annotations

from harness.budget import Budget, Spent


def batch_size(wanted: int, budget: Budget, spent: Spent) -> int:
    """The wanted number, or what the budget has left where that is less; at least one.

    Tokens and seconds are not counted ahead: nobody knows what a reply will cost.
    """
    limits = ((budget.proposals, spent.proposals), (budget.evaluations, spent.evaluations))
    left = [limit - used for limit, used in limits if limit is not None]
    return max(1, min([wanted, *left]))
