"""Find comparable runs: the tasks that every method ran, and the seeds that all methods share there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.runs.by_run import by_run
from analysis.runs.load import Experiment
from analysis.runs.regret import charged, incumbent_curve, stack_curves
from analysis.runs.task import Task
from harness.visible import listed

Floats = npt.NDArray[np.float64]
Curves = dict[tuple[str, str], dict[int, Floats]]
Place = tuple[str, str, int]
"""Method, task and seed."""
MOST_NAMES = 12
"""Names in a sentence."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A full block of runs: every method on every task with every seed.

    Attributes:
        methods: The methods in table order.
        tasks: The tasks that every method ran.
        seeds: The seeds that every method ran on all ``tasks``; empty if nothing can be compared.
        curves: (method, task) -> seed -> incumbent losses, shape (proposals,), of all runs, compared or not. NaN before
            the first loss.
        evaluations: Run -> number of executed configurations.
        only_below: Runs with evaluations, but none at the highest fidelity.
        notes: Sentences on what was left out to get a full block.
    """

    methods: tuple[str, ...]
    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]
    curves: Curves
    evaluations: Mapping[Place, int]
    only_below: frozenset[Place]
    notes: tuple[str, ...]

    @property
    def regret_tasks(self) -> tuple[Task, ...]:
        """The tasks whose regret can be normalized."""
        return tuple(task for task in self.tasks if task.regret_known)

    def incumbents(self, method: str, task: Task, proposals: int | None = None) -> Floats:
        """Incumbent losses, shape (runs, proposals); NaN before the first loss."""
        found = self.curves[method, task.name]
        return stack_curves([found[seed] for seed in self.seeds], proposals)

    def final_losses(self, method: str) -> Floats:
        """Final incumbent losses, shape (runs, tasks); NaN for a run without any."""
        return np.stack([self.incumbents(method, task)[:, -1] for task in self.tasks], axis=1)

    def final_regrets(self, method: str) -> Floats:
        """Final normalized regrets, shape (runs, tasks whose regret is known); see ``analysis.runs.regret.charged``."""
        return self.regret_curves(method)[:, :, -1]

    def regret_curves(self, method: str) -> Floats:
        """Normalized regret after each proposal, shape (runs, regret tasks, proposals of the longest run)."""
        tasks = self.regret_tasks
        length = max(self.proposals(task, method) for task in tasks)
        losses = np.stack([self.incumbents(method, task, length) for task in tasks], axis=1)
        losses = charged(losses, np.array([[task.charge] for task in tasks]))
        return np.stack([task.regret(losses[:, number]) for number, task in enumerate(tasks)], axis=1)

    def proposals(self, task: Task, method: str | None = None) -> int:
        """Number of proposals of the longest run on a task, of one method or of all."""
        methods = self.methods if method is None else (method,)
        return max(len(self.curves[each, task.name][seed]) for each in methods for seed in self.seeds)

    def random_evaluations(self, task: Task) -> int | None:
        """Number of evaluations of random search, which makes no invalid proposals, at the budget of these runs.

        The runs' proposals if equal in all runs, else their evaluations; None if both differ.
        """
        runs = [(method, task.name, seed) for method in self.methods for seed in self.seeds]
        counts = {len(self.curves[run[:2]][run[2]]) for run in runs}, {self.evaluations[run] for run in runs}
        return next((found.pop() for found in counts if len(found) == 1), None) or None

    def runs(self, method: str) -> tuple[Place, ...]:
        """The method's compared runs."""
        return tuple((method, task.name, seed) for task in self.tasks for seed in self.seeds)

    def without_loss(self, method: str) -> tuple[Place, ...]:
        """The compared runs without a successful evaluation at the highest fidelity."""
        return tuple(run for run in self.runs(method) if np.isnan(self.curves[run[:2]][run[2]][-1]))


def compare(experiment: Experiment) -> Comparison:
    """The full block over the tasks that every method ran."""
    curves = _incumbent_curves(experiment)
    methods = experiment.methods
    known = experiment.tasks.values()
    tasks = tuple(task for task in known if all((method, task.name) in curves for method in methods))
    notes = []
    left_out = [task.name for task in known if task not in tasks]
    if left_out and tasks:
        notes.append(f"Not every method ran {listed(left_out, MOST_NAMES)}; left out here, shown in quality by task.")
    seeds, note = shared_seeds(curves, methods, tasks)
    notes += [note] if note else []
    return Comparison(methods, tasks, seeds, curves, _evaluations(experiment), _only_below(experiment), tuple(notes))


def compare_task(experiment: Experiment, comparison: Comparison, task: Task) -> Comparison:
    """The same for one task, over the methods that ran it."""
    return _compare_tasks(comparison, _methods_on(experiment, comparison, task), (task,))


def compare_blocks(experiment: Experiment, comparison: Comparison) -> tuple[Comparison, ...]:
    """The comparison; if no task was run by every method, one per set of methods that ran the same tasks."""
    if comparison.tasks:
        return (comparison,)
    blocks: dict[tuple[str, ...], list[Task]] = {}
    for task in experiment.tasks.values():
        blocks.setdefault(_methods_on(experiment, comparison, task), []).append(task)
    return tuple(_compare_tasks(comparison, methods, tasks) for methods, tasks in blocks.items())


def _methods_on(experiment: Experiment, comparison: Comparison, task: Task) -> tuple[str, ...]:
    return tuple(method for method in experiment.methods if (method, task.name) in comparison.curves)


def _compare_tasks(comparison: Comparison, methods: tuple[str, ...], tasks: Sequence[Task]) -> Comparison:
    seeds, note = shared_seeds(comparison.curves, methods, tasks)
    notes = (f"{', '.join(task.name for task in tasks)}: {note}",) if note else ()
    return replace(comparison, methods=methods, tasks=tuple(tasks), seeds=seeds, notes=notes)


def _incumbent_curves(experiment: Experiment) -> Curves:
    curves: Curves = {}
    losses = by_run(experiment.trials, "loss")
    for run in experiment.runs:
        curves.setdefault((run.method, run.task), {})[run.seed] = incumbent_curve(*losses[run.id])
    return curves


def _evaluations(experiment: Experiment) -> dict[Place, int]:
    found = experiment.trials.group_by("method", "task", "seed").agg(pl.col("executed").sum())
    return {(str(method), str(task), int(seed)): int(count) for method, task, seed, count in found.iter_rows()}


def _only_below(experiment: Experiment) -> frozenset[Place]:
    found = experiment.trials.group_by("method", "task", "seed").agg(
        pl.col("below").any().alias("below"), pl.col("loss").is_null().all().alias("nothing")
    )
    runs = found.filter(pl.col("below") & pl.col("nothing")).select("method", "task", "seed")
    return frozenset((str(method), str(task), int(seed)) for method, task, seed in runs.iter_rows())


def shared_seeds(curves: Curves, methods: Iterable[str], tasks: Iterable[Task]) -> tuple[tuple[int, ...], str | None]:
    """Seeds that all methods ran on all tasks, and a sentence if this leaves runs out."""
    sets = [set(curves[method, task.name]) for method in methods for task in tasks]
    if not sets:
        return (), "No task was run by every method: nothing can be compared across them."
    shared, every = set.intersection(*sets), set.union(*sets)
    if not shared:
        return (), "No seed was run by every method on every task: nothing can be compared across them."
    if shared == every:
        return tuple(sorted(shared)), None
    spare = listed([str(seed) for seed in sorted(every - shared)], MOST_NAMES)
    kept = listed([str(seed) for seed in sorted(shared)], MOST_NAMES)
    return tuple(sorted(shared)), f"Seeds not run by every method on every task are left out ({spare}); used: {kept}."
