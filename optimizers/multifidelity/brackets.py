"""Successive halving's bookkeeping: brackets, the rungs of one, and the race of configurations up them."""

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
"""The loss of what was not evaluated with success: worse than any other."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One round of a bracket: so many configurations are evaluated at this level of the fidelity."""

    configurations: int
    level: float


Bracket = tuple[Rung, ...]


def most_halvings(fidelity: Fidelity, eta: int) -> int:
    """Algorithm 1's s_max: how often the highest level can be divided by eta and stay above the lowest."""
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
        configurations: n, of the first rung.
    """
    return tuple(
        Rung(configurations // eta**rung, fidelity.upper / eta ** (halvings - rung)) for rung in range(halvings + 1)
    )


def trials_in(bracket: Bracket) -> tuple[int, int]:
    """How many trials a bracket takes, and how many of them, the last ones, are on its last rung."""
    return sum(rung.configurations for rung in bracket), bracket[-1].configurations


class Race:
    """Random configurations climb the rungs of one bracket after another, from the first again after the last.

    Synchronous: a rung is over when all its configurations are told, then the best of them go on to the next. Of equal
    losses the earlier goes on; a failed evaluation is worse than any other, and goes on only where too few succeeded.
    A trial that was not asked for, that of a start, is not learned from: it belongs to no rung.

    Args:
        problem: Its space is copied; its first objective is minimized.
        seed: Seeds the draws.
        fidelity: The one that is varied.
        brackets: At least one.

    Attributes:
        first_bracket: Trials of the first one, and how many of them, the last ones, are at the highest fidelity.
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
        """The loss; a configuration that was executed in the place of the one asked goes on in its place."""
        if self._asked is not None:
            loss = FAILED if trial.outcome is None else trial.outcome.losses[self._objective]
            self._told.append((loss, trial.params or self._asked))
        self._asked = None

    def _next_rung(self) -> Iterable[Params]:
        """The best of the rung that is over; after the last rung, draws for the next bracket."""
        told, self._told = self._told, []
        self._promoted = len(self._rungs) > 1
        if self._promoted:
            self._rungs.popleft()
            best = sorted(told, key=lambda entry: entry[0])  # stable: of equal losses the earlier first
            return [params for _, params in best[: self._rungs[0].configurations]]
        self._rungs = deque(next(self._brackets))
        return [self._draws.next() for _ in range(self._rungs[0].configurations)]
