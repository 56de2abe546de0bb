"""Brackets of successive halving, and the promotion of configurations through their rungs."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.problem import Fidelity, Params, Problem
from harness.trial import Proposal, Proposer, Trial
from optimizers.shared.draws import Draws
from optimizers.shared.fidelity import at

FAILED = math.inf
"""Loss of failed evaluations: larger than any other."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One round of a bracket: a number of configurations evaluated at one level of the fidelity."""

    configurations: int
    level: float


Bracket = tuple[Rung, ...]


def most_halvings(fidelity: Fidelity, eta: int) -> int:
    """Algorithm 1's s_max: how often the highest level can be divided by eta without falling below the lowest."""
    halvings = 0
    while fidelity.lower * eta ** (halvings + 1) <= fidelity.upper * (1 + 1e-9):  # 0.1 * 3 exceeds 0.3
        halvings += 1
    return halvings


def bracket(fidelity: Fidelity, eta: int, halvings: int, configurations: int) -> Bracket:
    """The rungs of one bracket, cheapest first: n / eta^i configurations, rounded down, at level R / eta^(s - i).

    Args:
        fidelity: Its highest value is R.
        eta: One of eta configurations survives a rung.
        halvings: s, the number of rungs after the first.
        configurations: n, number of configurations in the first rung.
    """
    return tuple(
        Rung(configurations // eta**rung, fidelity.upper / eta ** (halvings - rung)) for rung in range(halvings + 1)
    )


def trials_in(bracket: Bracket) -> tuple[int, int]:
    """Number of trials of a bracket, and number of those on its last rung."""
    return sum(rung.configurations for rung in bracket), bracket[-1].configurations


class Race:
    """Successive halving of random configurations through the brackets in turn, starting again after the last.

    Synchronous: a rung ends when all its configurations are told; then the best are promoted. In a tie
    the earlier is promoted; a failed evaluation is worse than any other, and is promoted only if too few succeeded.
    Trials of a start are ignored, since they belong to no rung.

    Args:
        problem: Its space is copied; its first objective is minimized.
        seed: Seeds the draws.
        fidelity: Fidelity to vary.
        brackets: At least one.

    Attributes:
        first_bracket: Number of trials of the first bracket, and how many of the last use the highest fidelity.
    """

    needs_fidelity: ClassVar[bool] = True

    def __init__(self, problem: Problem, seed: int, fidelity: Fidelity, brackets: Sequence[Bracket]) -> None:
        self._objective = problem.objectives[0].name
        self._draws = Draws(problem.space, seed)
        self._fidelity = fidelity
        self.first_bracket = trials_in(brackets[0])
        self._brackets = itertools.cycle(brackets)
        self._rungs: deque[Rung] = deque()
        self._waiting: deque[Params] = deque()
        self._promoted = False
        self._told: list[tuple[float, Params]] = []
        self._asked: Params | None = None

    def ask(self) -> Proposal:
        """The next configuration of the rung, at the rung's level."""
        if not self._waiting:
            self._waiting.extend(self._next_rung())
        self._asked = self._waiting.popleft()
        proposer = Proposer.CLASSICAL if self._promoted else Proposer.RANDOM
        return Proposal(dict(self._asked), at(self._fidelity, self._rungs[0].level), proposer=proposer)

    def tell(self, trial: Trial) -> None:
        """Record the loss; a configuration that was executed instead of the proposal replaces it."""
        if self._asked is not None:
            loss = FAILED if trial.outcome is None else trial.outcome.losses[self._objective]
            self._told.append((loss, trial.params or self._asked))
        self._asked = None

    def _next_rung(self) -> Iterable[Params]:
        """The best of the finished rung; after the last rung, draws for the next bracket."""
        told, self._told = self._told, []
        self._promoted = len(self._rungs) > 1
        if self._promoted:
            self._rungs.popleft()
            best = sorted(told, key=lambda entry: entry[0])  # stable: in a tie the earlier is first
            return [params for _, params in best[: self._rungs[0].configurations]]
        self._rungs = deque(next(self._brackets))
        return [self._draws.next() for _ in range(self._rungs[0].configurations)]
