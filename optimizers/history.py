"""What a method has seen: the configurations that were evaluated at the highest fidelity, and their losses."""

from __future__ import annotations

from dataclasses import dataclass

from harness.problem import Objective, Params
from harness.trial import Trial


@dataclass(frozen=True, slots=True)
class Observation:
    """One successful evaluation.

    Attributes:
        index: Of its trial.
        params: What was executed.
        loss: Of the first objective; lower is better.
        value: The same as reported.
    """

    index: int
    params: Params
    loss: float
    value: float


class History:
    """Observations in the order in which they were made."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.observations: list[Observation] = []

    def __len__(self) -> int:
        return len(self.observations)

    def add(self, trial: Trial) -> Observation | None:
        """Take a trial in, if it was evaluated with success and at the highest fidelity; None otherwise."""
        if trial.params is None or trial.outcome is None or trial.proposal.fidelity is not None:
            return None
        loss = trial.outcome.losses[self._objective.name]
        seen = Observation(trial.index, dict(trial.params), loss, self._objective.value(loss))
        self.observations.append(seen)
        return seen

    def best(self, count: int) -> list[Observation]:
        """The ``count`` observations of lowest loss, best first; of equal ones the earlier first."""
        return sorted(self.observations, key=lambda seen: seen.loss)[:count]

    def last(self, count: int) -> list[Observation]:
        """The ``count`` latest, oldest first."""
        return self.observations[-count:] if count else []
