"""Contents of a table: configurations, fidelities and seeds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.lookup.discretize import configurations, finite
from harness.errors import SettingError, unknown
from harness.problem import Params, Problem
from harness.validity import check_fidelity

Cell = tuple[int, int, int]
"""Number of the configuration, number of the fidelity level, seed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The evaluations of a table.

    Attributes:
        configurations: All configurations, in a fixed order.
        levels: Fidelity -> levels, increasing.
        fidelities: All combinations; the first fidelity changes slowest.
        seeds: Seeds, increasing.
    """

    configurations: Sequence[Params]
    levels: Mapping[str, Sequence[float]]
    fidelities: Sequence[Mapping[str, float]]
    seeds: Sequence[int]

    def cells(self) -> list[Cell]:
        """Every evaluation, in the order of the table's rows."""
        return list(
            itertools.product(range(len(self.configurations)), range(len(self.fidelities)), self.seeds),
        )


def plan_of(problem: Problem, seeds: Any, fidelities: Any) -> Plan:
    """Build the plan of a command.

    Args:
        problem: Problem of the benchmark.
        seeds: A seed or a list of seeds.
        fidelities: Fidelity -> a level or a list of levels.

    Raises:
        SettingError: An argument is invalid, or the space is infinite.
    """
    endless = [name for name, hyperparameter in problem.space.items() if hyperparameter.size == float("inf")]
    if not finite(problem.space):
        raise SettingError(
            f"{problem.name} has infinitely many configurations, since {endless[0]} can be any number of a range; "
            "use a finite space with benchmark.space=grid or benchmark.levels=5, whichever the family has."
        )
    levels = _levels(problem, fidelities)
    combined = [dict(zip(levels, values, strict=True)) for values in itertools.product(*levels.values())]
    return Plan(list(configurations(problem.space)), levels, combined, _seeds(seeds))


def _levels(problem: Problem, given: Any) -> dict[str, list[float]]:
    if not isinstance(given, dict):
        raise SettingError(
            f"fidelities is {given!r}; give levels by name, e.g. 'fidelities={{subsample: [0.1, 1.0]}}'."
        )
    known = {fidelity.name: fidelity for fidelity in problem.fidelities}
    for name in given:
        if name not in known:
            raise unknown("fidelity", name, known) if known else SettingError(f"{problem.name} has no fidelities.")
    levels = {}
    for name, fidelity in known.items():
        asked = given.get(name, fidelity.upper)
        values = asked if isinstance(asked, list) else [asked]
        wrong = [value for value in values if check_fidelity({name: value}, problem)]
        if wrong or fidelity.upper not in values or len(set(values)) < len(values):
            said = (
                f"{wrong[0]!r} is not a level" if wrong else "each level must occur once, and the highest is required"
            )
            raise SettingError(
                f"fidelities.{name} is {asked!r}; {said}: give levels from {fidelity.lower:g} to {fidelity.upper:g}"
                f"{', whole numbers' if fidelity.integer else ''}, {fidelity.upper:g} included."
            )
        levels[name] = sorted(values)
    return levels


def _seeds(given: Any) -> list[int]:
    seeds = given if isinstance(given, list) else [given]
    if not seeds or len(set(map(str, seeds))) < len(seeds) or any(type(seed) is not int or seed < 0 for seed in seeds):
        raise SettingError(f"seeds is {given!r}; give different whole numbers from 0, e.g. 'seeds=[0, 1]'.")
    return sorted(seeds)
