"""The budget of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from harness.errors import SettingError
from harness.signature import check_settings
from harness.trial import Trial


@dataclass(frozen=True, slots=True)
class Budget:
    """Any of four limits; the first one reached ends the run.

    Attributes:
        proposals: Number of asks, valid or not.
        evaluations: Number of executed configurations.
        tokens: Language-model tokens, prompt and completion.
        seconds: Virtual clock: seconds spent asking plus evaluation_seconds.

    Raises:
        SettingError: No limit is set, or one is not a positive number.
    """

    proposals: int | None = None
    evaluations: int | None = None
    tokens: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        limits = {f.name: getattr(self, f.name) for f in fields(self)}
        if all(limit is None for limit in limits.values()):
            raise SettingError(f"The budget has no limit; set one of {', '.join(limits)}, e.g. budget.proposals=20.")
        check_settings(Budget, limits, "budget")
        for name, limit in limits.items():
            if limit is not None and limit <= 0:
                raise SettingError(f"budget.{name} is {limit!r}; give a positive number or null.")

    def check_ends(self, uses_model: bool) -> None:
        """Refuse a run that would never end.

        Raises:
            SettingError: Only tokens are limited, and the method has no language model.
        """
        if not uses_model and self.proposals is None and self.evaluations is None and self.seconds is None:
            raise SettingError(
                "budget.tokens alone never ends a method without a language model; set budget.proposals, evaluations "
                "or seconds too."
            )

    @property
    def trials(self) -> int | None:
        """An upper bound on the number of evaluated trials, or None if only tokens or seconds are limited."""
        bounds = [limit for limit in (self.proposals, self.evaluations) if limit is not None]
        return min(bounds) if bounds else None


class Spent:
    """Running totals of one run, in the units of the budget."""

    __slots__ = ("evaluations", "proposals", "seconds", "tokens")

    def __init__(self) -> None:
        self.proposals = self.evaluations = self.tokens = 0
        self.seconds = 0.0

    def add(self, trial: Trial) -> None:
        """Charge one finished trial."""
        executed, usage = trial.params is not None, trial.proposal.usage
        self.charge(usage.tokens, executed, trial.ask_seconds, trial.evaluation_seconds)

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Charge the cost of one trial's row.

        Raises:
            KeyError, TypeError, ValueError: The row lacks a cost.
        """
        tokens = int(row["usage"]["prompt_tokens"]) + int(row["usage"]["completion_tokens"])
        self.charge(tokens, row["executed"] is not None, row["ask_seconds"], row["evaluation_seconds"])

    def charge(self, tokens: int, executed: bool, ask_seconds: float, evaluation_seconds: float | None) -> None:
        """Charge the cost of one trial."""
        self.proposals += 1
        self.evaluations += executed
        self.tokens += tokens
        self.seconds += ask_seconds
        self.seconds += evaluation_seconds or 0.0

    def exhausts(self, budget: Budget) -> bool:
        """Whether any limit of the budget is reached."""
        return (
            (budget.proposals is not None and self.proposals >= budget.proposals)
            or (budget.evaluations is not None and self.evaluations >= budget.evaluations)
            or (budget.tokens is not None and self.tokens >= budget.tokens)
            or (budget.seconds is not None and self.seconds >= budget.seconds)
        )
