"""LLAMBO's candidates, sampled for a target score (Liu et al. 2024, section 6), and their random baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from harness.choices import text_of
from harness.problem import Params, Problem
from harness.trial import Candidate, Proposal, Proposer, Usage
from optimizers.chat.advisor import Advisor, total
from optimizers.chat.fitting import PromptWithHistory
from optimizers.chat.prompt import Prompt, dumps, template
from optimizers.shared.draws import Draws
from optimizers.shared.history import Observation


@dataclass(frozen=True, slots=True)
class Drawn:
    """A candidate.

    Attributes:
        proposal: The candidate as a proposal, without cost.
        candidate: Its log entry.
        params: The configuration, if it is eligible; None if it is invalid or a duplicate.
    """

    proposal: Proposal
    candidate: Candidate
    params: Params | None


class Sampler(Protocol):
    """Draws candidates."""

    def draw(self, observed: Sequence[Observation], target: float) -> tuple[list[Drawn], Usage]:
        """Candidates for the observations and the target as reported, and their cost."""
        ...


class Shuffles:
    """Random orders of the observations.

    Args:
        seed: Seeds the orders.
        most: Maximum number of observations, chosen at random each time; None for all.
    """

    def __init__(self, seed: int, most: int | None) -> None:
        self._rng = np.random.default_rng(seed)
        self._most = most

    def next(self, observed: Sequence[Observation]) -> list[Observation]:
        """The next order."""
        return [observed[int(position)] for position in self._rng.permutation(len(observed))[: self._most]]


class TargetSampler:
    """The model proposes a configuration for a given performance, from examples in a new order each time.

    Args:
        problem: Problem to optimize.
        prompt: Contents of the prompt.
        advisor: Sends the requests.
        shuffles: Orders the examples.
        count: Candidates per batch, one request each.
    """

    def __init__(self, problem: Problem, prompt: Prompt, advisor: Advisor, shuffles: Shuffles, count: int) -> None:
        self._problem, self._prompt, self._advisor = problem, prompt, advisor
        self._shuffles, self._count = shuffles, count
        self._lines = advisor.lines
        self._macros: Any = template("llambo")

    def draw(self, observed: Sequence[Observation], target: float) -> tuple[list[Drawn], Usage]:
        """One batch of ``count`` requests."""
        answers = self._advisor.ask(
            [
                PromptWithHistory(self._shuffles.next(observed), lambda shown: self._talk(shown, target))
                for _ in range(self._count)
            ]
        )
        usage = total([answer.completion for answer in answers])
        candidates = [self._advisor.candidate(answer) for answer in answers]
        proposals = [answer.proposal(Usage()) for answer in answers]
        return [
            Drawn(proposal, candidate, self._advisor.legal(candidate))
            for proposal, candidate in zip(proposals, candidates, strict=True)
        ], usage

    def _talk(self, examples: Sequence[Observation], target: float) -> str:
        rows = [(dumps(seen.params, self._advisor.told), f"{seen.value:.5g}") for seen in examples]
        objective, form = self._problem.objectives[0], self._advisor.form
        text = self._macros.candidate(self._problem, self._prompt, self._lines, objective, form, rows, f"{target:.5g}")
        return str(text).strip()


class RandomSampler:
    """Draws from the space's own distribution, independent of observations and without a model.

    Args:
        draws: Source of configurations.
        count: Candidates per batch.
    """

    def __init__(self, draws: Draws, count: int) -> None:
        self._draws, self._count = draws, count

    def draw(self, observed: Sequence[Observation], target: float) -> tuple[list[Drawn], Usage]:
        """``count`` draws."""
        drawn = [self._draws.next() for _ in range(self._count)]
        return [
            Drawn(Proposal(dict(params), proposer=Proposer.RANDOM), Candidate(dict(params)), params) for params in drawn
        ], Usage()


def target_loss(losses: Sequence[float], alpha: float) -> float:
    """The target loss, s_min - alpha (s_max - s_min): better than the best one for a positive alpha.

    It is not limited to the range of the metric, and equals the best loss if all losses are equal.
    """
    best, worst = min(losses), max(losses)
    return best - alpha * (worst - best)


def without_duplicates(drawn: Sequence[Drawn], executed: Iterable[Params]) -> list[Drawn]:
    """The same candidates; those executed before or drawn twice are marked as excluded, with a note."""
    seen = {text_of(params): "executed before" for params in executed}
    result = []
    for one in drawn:
        why = None if one.params is None else seen.get(text_of(one.params))
        if one.params is not None:
            seen.setdefault(text_of(one.params), "drawn twice")
        result.append(one if why is None else _out(one, why))
    return result


def _out(drawn: Drawn, why: str) -> Drawn:
    return dataclasses.replace(drawn, candidate=dataclasses.replace(drawn.candidate, note=why), params=None)
