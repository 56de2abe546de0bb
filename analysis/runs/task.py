"""A task: its objectives, optimum and expectation of random search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.runs.regret import normalized_regret
from harness.errors import HyperboleError, RunError
from harness.problem import Objective
from harness.scalars import finite, is_quantity

Floats = npt.NDArray[np.float64]

CONSEQUENCE = "no normalized figure is reported for this task; correct the declaration in the benchmark and run again"
"""Appended to the sentence on a declaration that does not hold."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its objectives, and the facts on the first one, by which methods are compared.

    Attributes:
        name: ``<benchmark>.<task>``.
        objectives: All objectives, with optimum and worst value as reported.
        random_curve: Exact E[lowest loss of k random configurations] for k = 1, 2, ...; empty if unknown.
        breaches: A sentence for every declaration that does not hold (``analysis.runs.breaches``). If there is one,
            optimum, worst value and scale count as unknown.
    """

    name: str
    objectives: tuple[Objective, ...]
    random_curve: tuple[float, ...]
    breaches: tuple[str, ...] = ()

    @property
    def objective(self) -> str:
        """Name of the first objective as reported."""
        return self.objectives[0].name

    @property
    def direction(self) -> str:
        """Direction of the first objective as reported."""
        return self.objectives[0].direction

    @property
    def optimum(self) -> float | None:
        """Lowest possible loss of the first objective, or None if unknown."""
        return self.bounds(0)[0]

    @property
    def worst(self) -> float | None:
        """Highest possible loss of the first objective, or None if unknown."""
        return self.bounds(0)[1]

    @property
    def charge(self) -> float:
        """The worst loss, with which a run without any loss counts (``regret.charged``); NaN if unknown."""
        return np.nan if self.worst is None else self.worst

    def bounds(self, number: int) -> tuple[float | None, float | None]:
        """Lowest and highest possible loss of one objective, each None if unknown."""
        if self.breaches:
            return None, None
        objective = self.objectives[number]
        lower, upper = (None if end is None else objective.loss(end) for end in (objective.optimum, objective.worst))
        return lower, upper

    def scale(self, number: int) -> tuple[float, float] | None:
        """Best and worst loss between which one objective is scaled, or None."""
        objective = self.objectives[number]
        lower, upper = self.bounds(number)
        if lower is not None and upper is not None:
            return lower, upper
        if objective.scale is None or self.breaches:
            return None
        return objective.loss(objective.scale[0]), objective.loss(objective.scale[1])

    def value(self, loss: float) -> float:
        """The reported value of the first objective for a loss."""
        return self.objectives[0].value(loss)

    def values(self, losses: Floats, number: int = 0) -> Floats:
        """Reported values of any objective, for an array of losses of any shape."""
        return losses if self.objectives[number].direction == "minimize" else -losses

    @property
    def regret_known(self) -> bool:
        """Whether regret can be normalized: optimum and random curve are known and different."""
        return self.optimum is not None and len(self.random_curve) > 0 and self.random_curve[0] > self.optimum

    def regret(self, losses: Floats) -> Floats:
        """Normalized regret of losses, any shape; NaN if the loss is NaN or regret is unknown."""
        return normalized_regret(losses, self.optimum, self.random_curve[0] if self.random_curve else None)

    @property
    def random_regret(self) -> Floats:
        """Normalized regret of exact random search, shape (proposals,); starts at 1 by definition."""
        return self.regret(np.asarray(self.random_curve, dtype=np.float64))


def task_of(runs: Iterable[dict[str, Any]]) -> Task:
    """The common task of runs, given the contents of their ``run.json``.

    Raises:
        RunError: The runs disagree about an objective, so they cannot be compared.
    """
    found: dict[tuple[Objective, ...], str] = {}
    scales: dict[str, set[tuple[float, float]]] = {}
    curves: list[tuple[float, ...]] = []
    breaches: dict[str, None] = {}
    name = ""
    for run in runs:
        name = f"{run['benchmark']}.{run['task']}"
        objectives = tuple(_objective(written, name, breaches) for written in run["objectives"])
        for objective in objectives:  # older runs have no scale
            scales.setdefault(objective.name, set()).update([objective.scale] if objective.scale else ())
        found.setdefault(objectives, f"{name}/{run['method']}/{run['seed']}")
        curves.append(tuple(np.array(run["random_search_curve"] or (), dtype=np.float64).tolist()))
    unscaled = {tuple(replace(objective, scale=None) for objective in objectives) for objectives in found}
    if len(unscaled) > 1 or any(len(ends) > 1 for ends in scales.values()):
        raise RunError(
            f"The runs {' and '.join(list(found.values())[:2])} disagree about objective, optimum, worst value or "
            "scale; analyze them as separate experiments."
        )
    known = {objective: next(iter(ends), None) for objective, ends in scales.items()}
    objectives = tuple(replace(objective, scale=known[objective.name]) for objective in unscaled.pop())
    curve = max(curves, key=len)
    wrong = None if all(map(is_quantity, curve)) else "the expectation of random search is not finite"
    if not all(np.allclose(other, curve[: len(other)], rtol=1e-9, atol=0.0, equal_nan=True) for other in curves):
        wrong = "the runs disagree about the expectation of random search"
    if wrong:
        breaches[f"{name}: {wrong}; {CONSEQUENCE}."] = None
        curve = ()
    return Task(name, objectives, curve, tuple(breaches))


def _objective(written: dict[str, Any], task: str, breaches: dict[str, None]) -> Objective:
    """One objective; impossible bounds are removed and added to the breaches.

    Raises:
        RunError: The direction is invalid.
    """
    name, direction, scale = written["name"], written["direction"], written.get("scale")
    bounds = {key: finite(written.get(key)) for key in ("optimum", "worst")}
    ends = None if scale is None else (float(scale[0]), float(scale[1]))
    try:
        return Objective(name, direction, **bounds, scale=ends)
    except HyperboleError as error:
        breaches[f"{task}: {str(error).rstrip('.')}; {CONSEQUENCE}."] = None
    try:
        return Objective(name, direction)
    except HyperboleError as error:
        raise RunError(f"A run of {task} cannot be read: {error}") from None
