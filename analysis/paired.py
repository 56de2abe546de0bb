"""Two methods that differ in one choice, run by run: what the choice changes in quality and in invalid proposals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.comparison import Comparison, shared_seeds
from analysis.load import Experiment
from analysis.quality import Cells, metric_cells
from analysis.statistics import mean
from analysis.task import Task

Floats = npt.NDArray[np.float64]

REGRET = "regret"


@dataclass(frozen=True, slots=True)
class Pairs:
    """The runs that methods share: every one of ``seeds`` on every one of ``tasks``, of each method."""

    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]

    @property
    def measured(self) -> tuple[Task, ...]:
        """The tasks that quality is measured on: those whose regret is known, or all where none is."""
        return tuple(task for task in self.tasks if task.regret_known) or self.tasks

    @property
    def measure(self) -> str:
        """What quality is: regret, or the loss of the first objective."""
        if any(task.regret_known for task in self.tasks):
            return REGRET
        return ", ".join(dict.fromkeys(f"loss ({task.objective})" for task in self.tasks))


def pairs(experiment: Experiment, comparison: Comparison, *methods: str) -> Pairs:
    """The tasks that all of the methods ran and the seeds that all ran on each of them; either may be empty."""
    curves, known = comparison.curves, experiment.tasks.values()
    tasks = tuple(task for task in known if all((method, task.name) in curves for method in methods))
    return Pairs(tasks, shared_seeds(curves, methods, tasks)[0])


def paired(experiment: Experiment, comparison: Comparison, base: str, variant: str) -> Cells:
    """What a choice changes, over the seeds and tasks that both methods ran.

    Args:
        experiment: Holds the runs.
        comparison: Holds their incumbents.
        base: The method without the choice.
        variant: The method with it.

    Returns:
        ``runs`` (pairs of runs), ``measure`` ("regret", or "loss (name)" of the first objective where no task's regret
        is known), then each for the final incumbent ``base``, ``variant`` and ``difference`` (variant minus base:
        negative is better), and for the share of invalid proposals ``invalid_base``, ``invalid_variant`` and
        ``invalid_difference``; of every one with its bootstrap interval ``_lower`` and ``_upper``. What is not known is
        left out.
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
    """The final incumbents' ``shared.measure``, shape (seeds, measured tasks)."""
    columns = []
    for task in shared.measured:
        losses = np.array([comparison.curves[method, task.name][seed][-1] for seed in shared.seeds])
        columns.append(task.regret(losses) if shared.measure == REGRET else losses)
    return np.stack(columns, axis=1)


def run_means(experiment: Experiment, method: str, shared: Pairs, what: pl.Expr) -> Floats:
    """The mean of something over the proposals of each run, shape (seeds, tasks); NaN where one is not measured."""
    known = pl.when(what.is_not_null().all()).then(what.cast(pl.Float64).mean())
    of_runs = experiment.trials.filter(pl.col("method") == method).group_by("task", "seed").agg(known.alias("mean"))
    means = {(task, seed): mean for task, seed, mean in of_runs.iter_rows()}
    found = [[means[task.name, seed] for task in shared.tasks] for seed in shared.seeds]
    return np.array(found, dtype=np.float64)


def _cells(keys: tuple[str, str, str], base: Floats, variant: Floats) -> Cells:
    """Both means and the mean difference; a pair of runs is drawn together, so what its seed does cancels out."""
    matrices = (base, variant, variant - base)
    found = [metric_cells(key, mean, scores) for key, scores in zip(keys, matrices, strict=True)]
    return found[0] | found[1] | found[2]
