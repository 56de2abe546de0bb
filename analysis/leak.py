"""What training on the validation data adds to how far validation flatters: HPOBench v1's leak, task by task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.comparison import Comparison
from analysis.generalization import Incumbents, generalization_table, incumbents, objective_text
from analysis.load import Experiment
from analysis.quality import Cells, metric_cells
from analysis.render import with_interval
from analysis.statistics import mean
from analysis.table import INTERVAL, Column, Findings, Table, frame_of
from analysis.task import Task

Floats = npt.NDArray[np.float64]

LEAK = "leak=v1"
"""The part of a task's name that says: trained as HPOBench v1 did, on training and validation data."""

COLUMNS = (
    Column("task", ("task",), "text"),
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("objective", ("objective",), "text"),
    Column("flatters by", ("gap",)),
    Column(f"with {LEAK}", ("gap_with_leak",)),
    Column("more with it", ("difference",)),
    Column(INTERVAL, ("difference_lower", "difference_upper")),
)


@dataclass(frozen=True, slots=True)
class LeakPair:
    """One task's runs without and with the leak, of one method: gaps of shape (seeds of both,)."""

    task: Task
    method: str
    seeds: tuple[int, ...]
    plain: Floats
    leaking: Floats


def generalization_findings(experiment: Experiment, comparison: Comparison) -> Findings:
    """Validation against test where there are test scores, and what the leak adds where it was switched on."""
    tested = incumbents(experiment)
    if not tested:
        return Findings()
    table, pairs = generalization_table(experiment, comparison, tested), leak_pairs(experiment, tested)
    return Findings((table, leak_table(pairs)), leak_headlines(pairs)) if pairs else Findings((table,))


def leak_pairs(experiment: Experiment, found: Incumbents) -> tuple[LeakPair, ...]:
    """Every method and task that was run both without and with the leak, on the seeds of both."""
    return tuple(_pairs(experiment, found))


def _pairs(experiment: Experiment, found: Incumbents) -> Iterator[LeakPair]:
    for name in experiment.tasks:
        plain = next((other for other in experiment.tasks if other in without_leak(name)), None)
        if plain is None:
            continue
        for method in experiment.methods:
            shared = [seed for kind, task, seed in found if (kind, task) == (method, plain)]
            seeds = tuple(sorted(seed for seed in shared if (method, name, seed) in found))
            if seeds:
                gaps = [np.array([found[method, task, seed].gap for seed in seeds]) for task in (plain, name)]
                yield LeakPair(experiment.tasks[plain], method, seeds, *gaps)


def without_leak(task: str) -> tuple[str, ...]:
    """What the same task may be called without the leak: not named, or named as none; empty where it has no leak."""
    first, *settings = task.split("+")
    if LEAK not in settings:
        return ()
    others = [part for part in settings if part != LEAK]
    return "+".join([first, *others]), "+".join([first, *sorted([*others, "leak=none"])])


def leak_table(pairs: Iterable[LeakPair]) -> Table:
    """One row a task and method: how far validation flatters without and with the leak, and the difference."""
    rows: list[Cells] = []
    for pair in pairs:
        row: Cells = {"task": pair.task.name, "method": pair.method, "runs": len(pair.seeds)}
        row |= {"objective": objective_text(pair.task)}
        row |= metric_cells("gap", mean, pair.plain[:, None])
        row |= metric_cells("gap_with_leak", mean, pair.leaking[:, None])
        row |= metric_cells("difference", mean, (pair.leaking - pair.plain)[:, None])
        rows.append(row)
    notes = (
        f"{LEAK}: trained on training and validation data and then scored on the latter, as HPOBench v1 did. The same "
        "seeds with and without it, compared run by run; intervals: bootstrap over seeds.",
    )
    title = "What training on the validation data adds"
    return Table("leak", title, frame_of(rows, COLUMNS), COLUMNS, notes)


def leak_headlines(pairs: Iterable[LeakPair]) -> tuple[str, ...]:
    """A sentence for each objective: how much more validation flatters with the leak, by method, mean over tasks."""
    grouped: dict[str, dict[str, list[LeakPair]]] = {}
    for pair in pairs:
        grouped.setdefault(objective_text(pair.task), {}).setdefault(pair.method, []).append(pair)
    sentences = []
    for objective, methods in grouped.items():
        results = {method: _more(of_method) for method, of_method in methods.items()}
        said = ", ".join(f"{result} for {method}" for method, result in results.items() if result)
        if said:
            sentences.append(
                f"Trained as HPOBench v1 did, the incumbent's validation {objective} flatters by more: {said}."
            )
    return tuple(sentences)


def _more(pairs: list[LeakPair]) -> str | None:
    """The mean difference over one method's tasks in words; None without a seed common to them or a test score."""
    seeds = sorted(set.intersection(*(set(pair.seeds) for pair in pairs)))
    if not seeds:
        return None
    columns = [[pair.leaking[i] - pair.plain[i] for i in map(pair.seeds.index, seeds)] for pair in pairs]
    cells = metric_cells("more", mean, np.array(columns).T)
    if not cells:
        return None
    where = f" over {len(pairs)} tasks" if len(pairs) > 1 else f" on {pairs[0].task.name}"
    return with_interval(cells, "more") + where
