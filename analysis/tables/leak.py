"""Effect of training on the validation data (the leak of HPOBench v1) on the gap to the test score."""

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
"""Setting of the benchmark: train on training and validation data, as HPOBench v1 did."""
LEAK = f"{SETTING}={LEAKING}"

COLUMNS = (
    Column("task", ("task",), "text"),
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("objective", ("objective",), "text"),
    Column("gap", ("gap",)),
    Column(f"with {LEAK}", ("gap_with_leak",)),
    Column("difference", ("difference",)),
    Column(INTERVAL, ("difference_lower", "difference_upper")),
)


@dataclass(frozen=True, slots=True)
class LeakPair:
    """Runs of one method on one task without and with the leak: gaps of shape (common seeds,)."""

    task: Task
    method: str
    seeds: tuple[int, ...]
    plain: Floats
    leaking: Floats


def generalization_findings(of: Material) -> Findings:
    """Validation versus test if there are test scores, and the effect of the leak if it was switched on."""
    experiment, comparison = of.experiment, of.comparison
    tested = incumbents(experiment)
    if not tested:
        return Findings()
    table, pairs = generalization_table(experiment, comparison, tested), leak_pairs(experiment, tested)
    return Findings((table, leak_table(pairs)), leak_headlines(pairs)) if pairs else Findings((table,))


def leak_pairs(experiment: Experiment, found: Incumbents) -> tuple[LeakPair, ...]:
    """Every method and task that was run without and with the leak, on the common seeds."""
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
    """Task -> whether it leaks, and the other settings of its benchmark."""
    first = {run.task: run for run in reversed(experiment.runs)}
    found = {}
    for name in experiment.tasks:
        identity = first[name].identity
        rest = identity.of(BENCHMARK)
        leaks = rest.pop(SETTING, None) == LEAKING
        found[name] = (leaks, json.dumps([identity.choices.get(BENCHMARK), rest], sort_keys=True))
    return found


def leak_table(pairs: Iterable[LeakPair]) -> Table:
    """One row per task and method: the gap without and with the leak, and the difference."""
    rows: list[Cells] = []
    for pair in pairs:
        row: Cells = {"task": pair.task.name, "method": pair.method, "runs": len(pair.seeds)}
        row |= {"objective": objective_text(pair.task)}
        row |= metric_cells("gap", mean, pair.plain[:, None])
        row |= metric_cells("gap_with_leak", mean, pair.leaking[:, None])
        row |= metric_cells("difference", mean, (pair.leaking - pair.plain)[:, None])
        rows.append(row)
    notes = (
        f"Gap: the amount by which validation is better than test. {LEAK}: models are trained on "
        "training and validation data and then scored on the latter, as in HPOBench v1. Runs are paired by seed; "
        "intervals: bootstrap over seeds.",
    )
    title = "Effect of training on the validation data"
    return Table("leak", title, frame_of(rows, COLUMNS), COLUMNS, notes)


def leak_headlines(pairs: Iterable[LeakPair]) -> tuple[str, ...]:
    """One sentence per objective: increase of the gap by the leak, by method, as mean over tasks."""
    grouped: dict[str, dict[str, list[LeakPair]]] = {}
    for pair in pairs:
        grouped.setdefault(objective_text(pair.task), {}).setdefault(pair.method, []).append(pair)
    sentences = []
    for objective, methods in grouped.items():
        results = {method: _more(of_method) for method, of_method in methods.items()}
        said = ", ".join(f"{result} for {method}" for method, result in results.items() if result)
        if said:
            sentences.append(
                f"Training as in HPOBench v1 increases the gap between validation and test {objective}: {said}."
            )
    return tuple(sentences)


def _more(pairs: list[LeakPair]) -> str | None:
    """The mean difference over one method's tasks in words; None without common seeds or test scores."""
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
