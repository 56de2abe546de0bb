"""Which runs can be compared: the tasks every method ran, and the seeds all of them share there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.load import Experiment
from analysis.regret import incumbent_curve, stack_curves
from analysis.task import Task

Floats = npt.NDArray[np.float64]
Curves = dict[tuple[str, str], dict[int, Floats]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A full block of runs: every method on every task with every seed.

    Attributes:
        methods: In table order.
        tasks: Those every method ran.
        seeds: Those every method ran on every one of ``tasks``; empty where nothing can be compared.
        curves: (method, task) -> seed -> incumbent losses, shape (proposals,); of all runs, compared or not.
        without_valid: (method, task, seed) of the runs in which nothing was evaluated.
        notes: What was left out to get a full block, in words.
    """

    methods: tuple[str, ...]
    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]
    curves: Curves
    without_valid: frozenset[tuple[str, str, int]]
    notes: tuple[str, ...]

    @property
    def regret_tasks(self) -> tuple[Task, ...]:
        """The tasks whose regret can be normalized."""
        return tuple(task for task in self.tasks if task.regret_known)

    def incumbents(self, method: str, task: Task, proposals: int | None = None) -> Floats:
        """Incumbent losses, shape (runs, proposals); NaN before the first loss where the worst loss is unknown."""
        found = self.curves[method, task.name]
        return stack_curves([found[seed] for seed in self.seeds], proposals)

    def final_losses(self, method: str) -> Floats:
        """Final incumbent losses, shape (runs, tasks)."""
        return np.stack([self.incumbents(method, task)[:, -1] for task in self.tasks], axis=1)

    def final_regrets(self, method: str) -> Floats:
        """Final normalized regrets, shape (runs, tasks whose regret is known)."""
        return np.stack([task.regret(self.incumbents(method, task)[:, -1]) for task in self.regret_tasks], axis=1)

    def regret_curves(self, method: str) -> Floats:
        """Normalized regret after each proposal, shape (runs, tasks whose regret is known, proposals)."""
        tasks = self.regret_tasks
        length = max(self.proposals(task) for task in tasks)
        return np.stack([task.regret(self.incumbents(method, task, length)) for task in tasks], axis=1)

    def proposals(self, task: Task) -> int:
        """Proposals of the longest run on a task."""
        return max(len(self.curves[method, task.name][seed]) for method in self.methods for seed in self.seeds)


def compare(experiment: Experiment) -> Comparison:
    """The largest full block over the tasks that every method ran."""
    curves, without_valid = _incumbent_curves(experiment)
    methods = experiment.methods
    known = experiment.tasks.values()
    tasks = tuple(task for task in known if all((method, task.name) in curves for method in methods))
    notes = []
    left_out = [task.name for task in known if task not in tasks]
    if left_out and tasks:
        notes.append(f"Not every method ran {_listed(left_out)}: left out here, shown in quality by task.")
    seeds, note = shared_seeds(curves, methods, tasks)
    return Comparison(methods, tasks, seeds, curves, without_valid, tuple(notes + ([note] if note else [])))


def compare_task(experiment: Experiment, comparison: Comparison, task: Task) -> Comparison:
    """The same for one task, over the methods that ran it."""
    curves = comparison.curves
    methods = tuple(method for method in experiment.methods if (method, task.name) in curves)
    seeds, note = shared_seeds(curves, methods, (task,))
    notes = (f"{task.name}: {note}",) if note else ()
    return Comparison(methods, (task,), seeds, curves, comparison.without_valid, notes)


def _incumbent_curves(experiment: Experiment) -> tuple[Curves, frozenset[tuple[str, str, int]]]:
    curves: Curves = {}
    without_valid = set()
    grouped = experiment.trials.group_by("run", maintain_order=True).agg("loss")
    losses = dict(zip(grouped["run"].to_list(), grouped["loss"].to_list(), strict=True))
    for run in experiment.runs:
        curve = incumbent_curve(losses[run.id], experiment.tasks[run.task].worst)
        curves.setdefault((run.method, run.task), {})[run.seed] = curve
        if all(loss is None for loss in losses[run.id]):
            without_valid.add((run.method, run.task, run.seed))
    return curves, frozenset(without_valid)


def shared_seeds(curves: Curves, methods: Iterable[str], tasks: Iterable[Task]) -> tuple[tuple[int, ...], str | None]:
    """Seeds that all methods ran on all tasks, and a sentence where that leaves runs out."""
    sets = [set(curves[method, task.name]) for method in methods for task in tasks]
    if not sets:
        return (), "No task was run by every method: nothing can be compared across them."
    shared, every = set.intersection(*sets), set.union(*sets)
    if not shared:
        return (), "No seed was run by every method on every task: nothing can be compared across them."
    if shared == every:
        return tuple(sorted(shared)), None
    spare = _listed([str(seed) for seed in sorted(every - shared)])
    kept = _listed([str(seed) for seed in sorted(shared)])
    return tuple(sorted(shared)), f"Seeds not run by every method on every task are left out ({spare}); used: {kept}."


def _listed(names: list[str], shown: int = 12) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
