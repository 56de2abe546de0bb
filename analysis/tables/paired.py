"""Paired comparison of two methods that differ in one choice: effect on quality and on invalid proposals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.present.cells import Cells, metric_cells
from analysis.runs.comparison import Comparison, Place, shared_seeds
from analysis.runs.load import Experiment
from analysis.runs.regret import charged
from analysis.runs.task import Task
from analysis.stats.statistics import mean
from harness.visible import listed

Floats = npt.NDArray[np.float64]

REGRET = "regret"


@dataclass(frozen=True, slots=True)
class Pairs:
    """The runs that methods have in common: all ``seeds`` on all ``tasks``."""

    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]

    @property
    def measured(self) -> tuple[Task, ...]:
        """The tasks on which quality is measured: those whose regret is known, or all if there are none."""
        return tuple(task for task in self.tasks if task.regret_known) or self.tasks

    def trials(self, trials: pl.DataFrame) -> pl.DataFrame:
        """Trials of the common runs; all trials without common runs, which ``shared_notes`` reports."""
        if not self.seeds:
            return trials
        tasks = [task.name for task in self.tasks]
        return trials.filter(pl.col("task").is_in(tasks) & pl.col("seed").is_in(self.seeds))

    @property
    def measure(self) -> str:
        """The measure of quality: regret, or the loss of the first objective."""
        if any(task.regret_known for task in self.tasks):
            return REGRET
        return ", ".join(dict.fromkeys(f"loss ({task.objective})" for task in self.tasks))


def pairs(experiment: Experiment, comparison: Comparison, *methods: str) -> Pairs:
    """The tasks that all methods ran, and the seeds that all ran on each of them; either may be empty."""
    curves, known = comparison.curves, experiment.tasks.values()
    tasks = tuple(task for task in known if all((method, task.name) in curves for method in methods))
    return Pairs(tasks, shared_seeds(curves, methods, tasks)[0])


def paired(experiment: Experiment, comparison: Comparison, base: str, variant: str) -> Cells:
    """Effect of a choice, over the seeds and tasks that both methods ran.

    Args:
        experiment: The experiment.
        comparison: Its incumbents.
        base: The method without the choice.
        variant: The method with it.

    Returns:
        ``runs`` (number of pairs), ``measure`` ("regret", or "loss (name)" of the first objective if no task's regret
        is known); for the final incumbent ``base``, ``variant`` and ``difference`` (variant minus base: negative is
        better); for the invalid rate ``invalid_base``, ``invalid_variant`` and ``invalid_difference``; all with
        bootstrap intervals ``_lower`` and ``_upper``. Unknown values are left out.
    """
    shared = pairs(experiment, comparison, base, variant)
    if not shared.seeds:
        return {"runs": 0}
    cells: Cells = {"runs": len(shared.seeds) * len(shared.tasks), "measure": shared.measure}
    finals = [final_scores(comparison, method, shared) for method in (base, variant)]
    cells |= _cells(("base", "variant", "difference"), *finals)
    invalid = [run_means(experiment, method, shared, pl.col("invalid")) for method in (base, variant)]
    return cells | _cells(("invalid_base", "invalid_variant", "invalid_difference"), *invalid)


def final_scores(comparison: Comparison, method: str, shared: Pairs) -> Floats:
    """The final incumbents' ``shared.measure``, shape (seeds, measured tasks); see ``analysis.runs.regret.charged``."""
    curves, tasks = comparison.curves, shared.measured
    losses = np.array([[curves[method, task.name][seed][-1] for task in tasks] for seed in shared.seeds])
    if shared.measure != REGRET:
        return losses
    losses = charged(losses, np.array([task.charge for task in tasks]))
    return np.stack([task.regret(of_task) for task, of_task in zip(tasks, losses.T, strict=True)], axis=1)


def shared_notes(experiment: Experiment, shared: Pairs, *methods: str) -> list[str]:
    """A sentence if the methods were not run on the same tasks and seeds, so that rows cover the common ones."""
    runs = {(run.task, run.seed) for run in experiment.runs if run.method in methods}
    count = len(shared.tasks) * len(shared.seeds)
    if not count:
        return [f"{listed(methods, 4)} have no common task and seed: each row covers its own; no quality."]
    if count == len(runs):
        return []
    return [f"{listed(methods, 4)}: over the {count} of {len(runs)} pairs of task and seed that all of them ran."]


def charge_notes(comparison: Comparison, shared: Iterable[tuple[Pairs, Sequence[str]]]) -> list[str]:
    """A sentence if runs without any loss at the highest fidelity count with the task's worst value."""
    found: dict[str, set[Place]] = {}
    for pairs, methods in shared:
        runs = [(m, task.name, seed) for m in methods for task in pairs.measured for seed in pairs.seeds]
        for run in runs:
            if np.isnan(comparison.curves[run[:2]][run[2]][-1]):
                found.setdefault(run[0], set()).add(run)
    if not found:
        return []
    listed = ", ".join(f"{method}: {len(runs)}" for method, runs in found.items())
    return [
        f"Runs without any result at the highest fidelity ({listed}) count with the regret of the task's "
        "worst value if another run of the method has a result; otherwise its quality is not measured."
    ]


def run_means(experiment: Experiment, method: str, shared: Pairs, what: pl.Expr) -> Floats:
    """Mean of a quantity over the proposals of each run, shape (seeds, tasks); NaN if one is not measured."""
    known = pl.when(what.is_not_null().all()).then(what.cast(pl.Float64).mean())
    of_runs = experiment.trials.filter(pl.col("method") == method).group_by("task", "seed").agg(known.alias("mean"))
    means = {(task, seed): mean for task, seed, mean in of_runs.iter_rows()}
    found = [[means[task.name, seed] for task in shared.tasks] for seed in shared.seeds]
    return np.array(found, dtype=np.float64)


def _cells(keys: tuple[str, str, str], base: Floats, variant: Floats) -> Cells:
    """Both means and the mean difference; pairs of runs are resampled together, so effects of the seed cancel."""
    matrices = (base, variant, variant - base)
    found = [metric_cells(key, mean, scores) for key, scores in zip(keys, matrices, strict=True)]
    return found[0] | found[1] | found[2]
