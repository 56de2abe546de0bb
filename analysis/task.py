"""What is known about one task: where its optimum lies and what random search can expect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.regret import normalized_regret
from analysis.rows import finite
from harness.errors import RunError
from harness.problem import Objective

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """One task: its objectives, and what is known about the first, in which methods are compared.

    Attributes:
        name: ``<benchmark>.<task>``.
        objectives: All of them, optimum and worst value as reported.
        random_curve: Exact E[lowest loss of k random configurations] for k = 1, 2, ...; empty where unknown.
    """

    name: str
    objectives: tuple[Objective, ...]
    random_curve: tuple[float, ...]

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
        """Lowest possible loss of the first objective, or None where nobody knows it."""
        return self.bounds(0)[0]

    @property
    def worst(self) -> float | None:
        """Highest possible loss of the first objective, or None."""
        return self.bounds(0)[1]

    def bounds(self, number: int) -> tuple[float | None, float | None]:
        """Lowest and highest possible loss of one objective, each None where nobody knows it."""
        objective = self.objectives[number]
        lower, upper = (None if end is None else objective.loss(end) for end in (objective.optimum, objective.worst))
        return lower, upper

    def scale(self, number: int) -> tuple[float, float] | None:
        """Losses between which one objective is scaled: its best and worst, known or by definition; else None."""
        objective = self.objectives[number]
        lower, upper = self.bounds(number)
        if lower is not None and upper is not None:
            return lower, upper
        return (
            None
            if objective.scale is None
            else (objective.loss(objective.scale[0]), objective.loss(objective.scale[1]))
        )

    def value(self, loss: float) -> float:
        """The value of the first objective as reported that stands behind a loss."""
        return self.objectives[0].value(loss)

    def values(self, losses: Floats, number: int = 0) -> Floats:
        """The same for an array of any shape, of any objective."""
        return losses if self.objectives[number].direction == "minimize" else -losses

    @property
    def regret_known(self) -> bool:
        """Whether regret can be normalized: optimum and random curve are known and differ."""
        return self.optimum is not None and len(self.random_curve) > 0 and self.random_curve[0] > self.optimum

    def regret(self, losses: Floats) -> Floats:
        """Normalized regret of losses, any shape; NaN where the loss is NaN or regret is not known."""
        return normalized_regret(losses, self.optimum, self.random_curve[0] if self.random_curve else None)

    @property
    def random_regret(self) -> Floats:
        """Normalized regret of exact random search, shape (proposals,); starts at 1 by definition."""
        return self.regret(np.asarray(self.random_curve, dtype=np.float64))


def task_of(runs: Iterable[dict[str, Any]]) -> Task:
    """The task that these runs (contents of ``run.json``) share.

    Raises:
        RunError: The runs disagree about an objective, so that their numbers cannot be compared.
    """
    found: dict[Task, str] = {}
    curve: tuple[float, ...] = ()
    for run in runs:
        name = f"{run['benchmark']}.{run['task']}"
        task = Task(name, tuple(map(_objective, run["objectives"])), ())
        found.setdefault(task, f"{name}/{run['method']}/{run['seed']}")
        curve = max(curve, tuple(run["random_search_curve"] or ()), key=len)
    if len(found) > 1:
        raise RunError(
            f"The runs {' and '.join(list(found.values())[:2])} disagree about objective, optimum or worst value; "
            "analyze them as separate experiments."
        )
    task = next(iter(found))
    return Task(task.name, task.objectives, curve)


def _objective(written: dict[str, Any]) -> Objective:
    scale = written.get("scale")  # older runs have none
    return Objective(
        written["name"],
        written["direction"],
        optimum=finite(written["optimum"]),
        worst=finite(written["worst"]),
        scale=None if scale is None else (float(scale[0]), float(scale[1])),
    )
