"""What is known about one task: where its optimum lies and what random search can expect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from analysis.regret import normalized_regret
from analysis.rows import finite
from harness.errors import RunError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """One task's first objective, all numbers as losses (minimized).

    Attributes:
        name: ``<benchmark>.<task>``.
        objective: Its name as reported.
        direction: As reported.
        optimum: Lowest possible loss, or None where nobody knows it.
        worst: Highest possible loss, or None.
        random_curve: Exact E[lowest loss of k random configurations] for k = 1, 2, ...; empty where unknown.
    """

    name: str
    objective: str
    direction: Literal["minimize", "maximize"]
    optimum: float | None
    worst: float | None
    random_curve: tuple[float, ...]

    def value(self, loss: float) -> float:
        """The value as reported that stands behind a loss."""
        return loss if self.direction == "minimize" else -loss

    def values(self, losses: Floats) -> Floats:
        """The same for an array of any shape."""
        return losses if self.direction == "minimize" else -losses

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
        RunError: The runs disagree about the objective, so that their numbers cannot be compared.
    """
    found: dict[Task, str] = {}
    curve: tuple[float, ...] = ()
    for run in runs:
        name = f"{run['benchmark']}.{run['task']}"
        objective = run["objectives"][0]
        losses = [_as_loss(objective[key], objective["direction"]) for key in ("optimum", "worst")]
        task = Task(name, objective["name"], objective["direction"], losses[0], losses[1], ())
        found.setdefault(task, f"{name}/{run['method']}/{run['seed']}")
        curve = max(curve, tuple(run["random_search_curve"] or ()), key=len)
    if len(found) > 1:
        raise RunError(
            f"The runs {' and '.join(list(found.values())[:2])} disagree about objective, optimum or worst value; "
            "analyze them as separate experiments."
        )
    task = next(iter(found))
    return Task(task.name, task.objective, task.direction, task.optimum, task.worst, curve)


def _as_loss(value: object, direction: str) -> float | None:
    number = finite(value)
    if number is None:
        return None
    return number if direction == "minimize" else -number
