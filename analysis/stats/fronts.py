"""Results of tasks with several objectives: losses, scales, fronts and hypervolumes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.runs.comparison import Comparison, compare_task
from analysis.runs.load import Experiment
from analysis.runs.regret import stack_curves
from analysis.runs.task import Task
from analysis.stats.pareto import front, hypervolume, hypervolume_curve, scaled

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fronts:
    """One task with several objectives.

    Attributes:
        task: The task.
        block: The methods that ran it and their common seeds.
        losses: (method, seed) -> shape (proposals, objectives), of all runs; rows of NaN if not evaluated at the
            highest fidelity.
        lower: Losses that are scaled to 0, shape (objectives,).
        upper: Losses that are scaled to 1.
        observed: Names of the objectives scaled by observed values, because their bounds are unknown.
    """

    task: Task
    block: Comparison
    losses: dict[tuple[str, int], Floats]
    lower: Floats
    upper: Floats
    observed: tuple[str, ...]

    def of(self, method: str) -> list[Floats]:
        """Final front of each compared run as losses, shape (points, objectives)."""
        return [front(self.losses[method, seed]) for seed in self.block.seeds]

    def curves(self, method: str, seeds: Iterable[int] | None = None) -> Floats:
        """Hypervolume after each proposal, shape (runs, proposals); shorter runs keep their last value.

        A run without any outcome has 0. All is NaN if every run is such a run, or a declaration does not hold.
        """
        chosen = self.block.seeds if seeds is None else tuple(seeds)
        losses = [self.losses[method, seed] for seed in chosen]
        found = stack_curves([hypervolume_curve(self._scaled(of_run)) for of_run in losses])
        nothing = all(np.isnan(of_run).all() for of_run in losses)
        return np.full_like(found, np.nan) if nothing or self.task.breaches else found

    def without(self, method: str) -> int:
        """Number of compared runs without any outcome."""
        return sum(bool(np.isnan(self.losses[method, seed]).all()) for seed in self.block.seeds)

    def of_all_runs(self) -> float:
        """Hypervolume of the results of all runs; 0 if unknown."""
        found = front(self._scaled(np.vstack(list(self.losses.values()))))
        return 0.0 if self.task.breaches else hypervolume(found)

    def _scaled(self, losses: Floats) -> Floats:
        return scaled(losses, self.lower, self.upper)


def fronts(experiment: Experiment, comparison: Comparison) -> tuple[Fronts, ...]:
    """One ``Fronts`` per task with several objectives."""
    several = [task for task in experiment.tasks.values() if len(task.objectives) > 1]
    return tuple(_of_task(experiment, compare_task(experiment, comparison, task), task) for task in several)


def _of_task(experiment: Experiment, block: Comparison, task: Task) -> Fronts:
    rows = experiment.trials.filter(pl.col("task") == task.name).group_by("method", "seed", maintain_order=True)
    nothing = [np.nan] * len(task.objectives)
    losses = {
        (str(method), int(seed)): np.array([row if row is not None else nothing for row in found], dtype=np.float64)
        for method, seed, found in rows.agg("losses").iter_rows()
    }
    every = np.vstack(list(losses.values()))
    every = every[~np.isnan(every).any(axis=1)]
    lower, upper, observed = np.zeros(len(nothing)), np.ones(len(nothing)), []
    for number, objective in enumerate(task.objectives):
        scale = task.scale(number)
        if scale is not None:
            lower[number], upper[number] = scale
        elif len(every) and not task.breaches:
            lower[number], upper[number] = every[:, number].min(), every[:, number].max()
            observed.append(objective.name)
    return Fronts(task, block, losses, lower, upper, tuple(observed))
