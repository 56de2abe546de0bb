"""Hyperband: successive halving with several starting levels, in case cheap evaluations mislead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from harness.budget import Budget
from harness.errors import unknown
from harness.problem import Fidelity, Problem
from optimizers.multifidelity.brackets import Bracket, Race, bracket, most_halvings
from optimizers.shared.fidelity import checked_eta, varied_fidelity


class Hyperband(Race):
    """Hyperband (Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar 2018, "Hyperband", JMLR 18), algorithm 1.

    R is the fidelity's highest value, and one unit of resource its lowest. Brackets s = s_max, ..., 0 begin with
    ceil((s_max + 1) / (s + 1) * eta^s) random configurations at level R / eta^s; after the last bracket the first
    begins again, until the budget ends. Use: ``python -m harness.run optimizer=hyperband benchmark=toy``.

    The paper's own example, table 1 (R = 81, eta = 3), begins brackets with 81, 27, 9, 6 and 5 configurations, but its
    algorithm 1 gives 81, 34, 15, 8 and 5: the table rounds (s_max + 1) / (s + 1) down first. ``sizes`` selects one.

    Departures:

    * Levels of an integer fidelity are rounded.
    * An evaluation at a higher level starts anew, since benchmarks keep no checkpoints.
    * Each trial counts fully for a budget of evaluations, at any level.
    * Trials of a start are ignored.

    Args:
        problem: Its space is copied; its first objective is minimized.
        seed: Seeds the draws.
        budget: Not used: the brackets do not depend on it.
        eta: One of ``eta`` configurations survives a rung, and gets ``eta`` times the fidelity.
        fidelity: Name of the fidelity to vary, others stay at their highest; None for the problem's first.
        sizes: Number of configurations at the start of a bracket: as in "algorithm" 1 or "table" 1.

    Raises:
        SettingError: The problem has no such fidelity, eta is below 2, or the sizes are unknown.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        budget: Budget,
        *,
        eta: int = 3,
        fidelity: str | None = None,
        sizes: Literal["algorithm", "table"] = "algorithm",
    ) -> None:
        if sizes not in SIZES:
            raise unknown("sizes", sizes, SIZES)
        varied = varied_fidelity(problem, fidelity, "hyperband")
        brackets = all_brackets(varied, checked_eta(eta), SIZES[sizes])
        super().__init__(problem, seed, varied, brackets)


def all_brackets(fidelity: Fidelity, eta: int, size: Callable[[int, int, int], int]) -> list[Bracket]:
    """The brackets of one round, the largest number of configurations first; ``size`` takes s_max, s and eta."""
    most = most_halvings(fidelity, eta)
    return [bracket(fidelity, eta, halvings, size(most, halvings, eta)) for halvings in range(most, -1, -1)]


def _size_of_algorithm(most: int, halvings: int, eta: int) -> int:
    return -int(-(most + 1) * eta**halvings // (halvings + 1))  # rounded up


def _size_of_table(most: int, halvings: int, eta: int) -> int:
    return int((most + 1) // (halvings + 1) * eta**halvings)


SIZES = {"algorithm": _size_of_algorithm, "table": _size_of_table}
