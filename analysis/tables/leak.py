"""What training on the validation data adds to how far validation flatters: HPOBench v1's leak, task by task."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.present.cells import Cells, metric_cells
from analysis.present.render import with_interval
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.load import Experiment
from analysis.runs.task import Task
from analysis.stats.material import Material
from analysis.stats.statistics import mean
from analysis.tables.generalization import Incumbents, generalization_table, incumbents, objective_text
from harness.identity import BENCHMARK

Floats = npt.NDArray[np.float64]

SETTING, LEAKING = "leak", "v1"
"""Of the benchmark: trained as HPOBench v1 did, on training and validation data."""
LEAK = f"{SETTING}={LEAKING}"

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


def generalization_findings(of: Material) -> Findings:
    """Validation against test where there are test scores, and what the leak adds where it was switched on."""
    experiment, comparison = of.experiment, of.comparison
    tested = incumbents(experiment)
    if not tested:
        return Findings()
    table, pairs = generalization_table(experiment, comparison, tested), leak_pairs(experiment, tested)
    return Findings((table, leak_table(pairs)), leak_headlines(pairs)) if pairs else Findings((table,))


def leak_pairs(experiment: Experiment, found: Incumbents) -> tuple[LeakPair, ...]:
    """Every method and task that was run both without and with the leak, on the seeds of both."""
    return tuple(_pairs(experiment, found))


def _pairs(experiment: Experiment, found: Incumbents) -> Iterator[LeakPair]:
    plain = {rest: name for name, (leaks, rest) in _tasks(experiment).items() if not leaks}
    for name, (leaks, rest) in _tasks(experiment).items():
        if not leaks or rest not in plain:
            continue
        for method in experiment.methods:
            shared = [seed for kind, task, seed in found if (kind, task) == (method, plain[rest])]
            seeds = tuple(sorted(seed for seed in shared if (method, name, seed) in found))
            if seeds:
                gaps = [np.array([found[method, task, seed].gap for seed in seeds]) for task in (plain[rest], name)]
                yield LeakPair(experiment.tasks[plain[rest]], method, seeds, *gaps)


def _tasks(experiment: Experiment) -> dict[str, tuple[bool, str]]:
    """Task -> whether it leaks, and all else that its benchmark was set to."""
    first = {run.task: run for run in reversed(experiment.runs)}
    found = {}
    for name in experiment.tasks:
        identity = first[name].identity
        rest = identity.of(BENCHMARK)
        leaks = rest.pop(SETTING, None) == LEAKING
        found[name] = (leaks, json.dumps([identity.choices.get(BENCHMARK), rest], sort_keys=True))
    return found


def leak_table(pairs: Iterable[LeakPair]) -> Table:
    """One row per task and method: how far validation flatters without and with the leak, and the difference."""
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


TABLE = Entry(90, generalization_findings)
