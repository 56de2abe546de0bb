"""History of a method: configurations executed at the highest fidelity, and their losses."""

from __future__ import annotations

from dataclasses import dataclass

from harness.incumbent import counts
from harness.problem import Objective, Params
from harness.trial import Trial


@dataclass(frozen=True, slots=True)
class Observation:
    """One evaluation.

    Attributes:
        index: Index of its trial.
        params: The executed configuration.
        loss: Loss of the first objective; lower is better.
        value: The same as reported.
    """

    index: int
    params: Params
    loss: float
    value: float


class History:
    """Observations in the order of evaluation."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.observations: list[Observation] = []
        self._failed: list[tuple[int, Params]] = []

    def __len__(self) -> int:
        return len(self.observations)

    def add(self, trial: Trial) -> Observation | None:
        """Add a trial, if something was executed at the highest fidelity.

        Returns:
            The observation; None if the evaluation failed or the trial was not added.
        """
        if trial.params is None or not counts(trial.proposal.fidelity):
            return None
        if trial.outcome is None:
            self._failed.append((trial.index, dict(trial.params)))
            return None
        seen = self._observation(trial.index, dict(trial.params), trial.outcome.losses[self._objective.name])
        self.observations.append(seen)
        return seen

    def executed(self, worst: float | None = None) -> list[Observation]:
        """All executed configurations, in order; failures have the worst loss so far.

        Args:
            worst: Loss of failures before the first success; None leaves them out until then.
        """
        if self.observations:
            worst = max(seen.loss for seen in self.observations)
        failed = [] if worst is None else [self._observation(index, params, worst) for index, params in self._failed]
        return sorted([*self.observations, *failed], key=lambda seen: seen.index)

    def _observation(self, index: int, params: Params, loss: float) -> Observation:
        return Observation(index, params, loss, self._objective.value(loss))

    def best(self, count: int) -> list[Observation]:
        """The ``count`` observations of lowest loss, best first; in a tie the earlier first."""
        return sorted(self.observations, key=lambda seen: seen.loss)[:count]

    def last(self, count: int) -> list[Observation]:
        """The ``count`` latest, oldest first."""
        return self.observations[-count:] if count else []
