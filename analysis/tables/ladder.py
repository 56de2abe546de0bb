"""The same method with models of several sizes, and the controls on the same tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from analysis.present.cells import Cells, metric_cells
from analysis.present.render import with_interval
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.comparison import Comparison, shared_seeds
from analysis.runs.labels import model_parameters, model_title
from analysis.runs.load import Experiment, Run
from analysis.stats.material import Material
from analysis.stats.statistics import mean
from analysis.tables.authorship import with_model
from analysis.tables.paired import REGRET, Pairs, charge_notes, final_scores
from analysis.tables.shares import (
    GROUPS,
    INTERVALS,
    cut_off_share,
    group_cells,
    group_columns,
    share_cells,
    unsure_notes,
)
from harness.faults import INVENTED, Group
from harness.label import CHAT, DECODING, words
from harness.names import written
from harness.trial import Fault, Proposer
from harness.visible import listed

PLAIN = "plain"
KINDS = tuple(fault for fault in Fault if fault in INVENTED)
COLUMNS = (
    Column("tasks", ("tasks",), "text"),
    Column("method", ("method",), "text"),
    Column("parameters (million)", ("parameters_million",)),
    Column("model", ("model",), "text"),
    Column("decoding", ("decoding",), "text"),
    Column("settings", ("settings",), "text"),
    Column("runs", ("runs",), "count"),
    Column("proposals", ("proposals",), "count"),
    *group_columns(),
    *(Column(f"{fault.value.replace('_', ' ')} (%)", (fault.value,), "percent") for fault in KINDS),
    Column("cut off (%)", ("cut_off",), "percent"),
    Column("measure", ("measure",), "text"),
    Column("mean", ("score",)),
    Column(INTERVAL, ("score_lower", "score_upper")),
    Column("tokens per proposal", ("tokens",)),
    Column("per proposal (s)", ("proposal_seconds",)),
)
OF_MODELS = ("parameters_million", "model", "decoding", "settings", "cut_off", "tokens")
"""Columns without a meaning for methods without a model."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One method on tasks of one kind.

    Attributes:
        tasks: Benchmark and space: ``hpobench nearest``.
        method: Name in the experiment.
        optimizer: Choice of the group ``optimizer``.
        parameters: Number of parameters of its model; None for a control.
        model: Title of its model; None for a control.
        decoding: Decoding in one word; None for a control.
        settings: Prompt and other settings of the method; None for a control.
        cells: Cells of its row.
    """

    tasks: str
    method: str
    optimizer: str
    parameters: int | None
    model: str | None
    decoding: str | None
    settings: str | None
    cells: Cells

    @property
    def line(self) -> str:
        """The parts that are equal at every size: tasks, method, decoding and settings."""
        optimizer = None if self.optimizer == CHAT else self.optimizer.replace("_", " ")
        settings = None if self.settings == PLAIN else self.settings
        return ", ".join(filter(None, (self.tasks, optimizer, self.decoding, settings)))


def ladder_findings(of: Material) -> Findings:
    """The table and one sentence per line of models, if there are at least two sizes."""
    experiment, comparison = of.experiment, of.comparison
    found = rungs(experiment, comparison)
    if not found:
        return Findings()
    rows = [rung.cells for rung in found]
    controls = [number for number, rung in enumerate(found) if rung.parameters is None]
    absent = frozenset((number, key) for number in controls for key in OF_MODELS)
    notes = _notes(experiment, comparison, found)
    table = Table("ladder", "Models by size", frame_of(rows, COLUMNS), COLUMNS, tuple(notes), absent)
    return Findings((table,), tuple(_said(found)))


def rungs(experiment: Experiment, comparison: Comparison) -> tuple[Rung, ...]:
    """Methods whose models' sizes are known, smallest model first, and those without a model, by tasks.

    Returns:
        Empty with fewer than two sizes.
    """
    sizes = _sizes(experiment)
    if len(set(sizes.values()) - {None}) < 2:
        return ()
    placed: dict[str, dict[str, Run]] = {}
    for run in experiment.runs:
        placed.setdefault(_tasks_of(run), {}).setdefault(run.method, run)
    found = [
        _rung(experiment, comparison, tasks, run, sizes.get(run.method))
        for tasks, methods in placed.items()
        for run in methods.values()
        if run.info["llm"] is None or sizes[run.method] is not None
    ]
    order = {tasks: number for number, tasks in enumerate(placed)}
    return tuple(sorted(found, key=lambda each: (order[each.tasks], each.parameters is None, *_place(each))))


def lines(found: Sequence[Rung]) -> dict[str, list[Rung]]:
    """Rungs that differ only in the model, smallest first: tasks, decoding and settings -> rungs."""
    by_line: dict[str, list[Rung]] = {}
    for rung in found:
        if rung.parameters is not None:
            by_line.setdefault(rung.line, []).append(rung)
    return by_line


def _place(rung: Rung) -> tuple[str, int, str]:
    return rung.line, rung.parameters or 0, rung.method


def _tasks_of(run: Run) -> str:
    """Benchmark, space and other settings: the kind of tasks over which a mean is meaningful."""
    settings = (run.info.get("config") or {}).get("benchmark")
    space = settings.get("space") if isinstance(settings, Mapping) else None
    kind = f"{run.info['benchmark']} {space}" if isinstance(space, str) else str(run.info["benchmark"])
    others = {name: value for name, value in run.identity.of_task.items() if name != "space"}
    return ", ".join([kind, *(f"{name} {written(value)}" for name, value in others.items())])


def _sizes(experiment: Experiment) -> dict[str, int | None]:
    """Number of parameters of each method's model; None if it is not in the catalogue or runs have several."""
    models: dict[str, set[str | None]] = {}
    for run in experiment.runs:
        if run.info["llm"] is not None:
            models.setdefault(run.method, set()).add(words(run.info).model)
    return {
        method: model_parameters(found.pop() or "") if len(found) == 1 else None for method, found in models.items()
    }


def _rung(experiment: Experiment, comparison: Comparison, tasks: str, run: Run, parameters: int | None) -> Rung:
    said = words(run.info)
    model = None if parameters is None or said.model is None else model_title(said.model)
    more = [text for key, text in said.groups.items() if key != DECODING]
    settings = None if model is None else ", ".join(more) or PLAIN
    decoding = None if model is None else said.groups.get(DECODING)
    names = {each.task for each in experiment.runs if _tasks_of(each) == tasks}
    shared = _pairs(experiment, comparison, run.method, names)
    cells: Cells = {"tasks": tasks, "method": run.method, "model": model, "decoding": decoding, "settings": settings}
    cells["parameters_million"] = None if parameters is None else parameters / 1e6
    cells |= _cells(experiment, comparison, run.method, shared)
    return Rung(tasks, run.method, said.optimizer, parameters, model, decoding, settings, cells)


def _pairs(experiment: Experiment, comparison: Comparison, method: str, names: set[str]) -> Pairs:
    """The method's own runs on these tasks, with the seeds that it ran on all of them."""
    tasks = tuple(task for task in experiment.tasks.values() if task.name in names)
    own = tuple(task for task in tasks if (method, task.name) in comparison.curves)
    return Pairs(own, shared_seeds(comparison.curves, [method], own)[0])


def _cells(experiment: Experiment, comparison: Comparison, method: str, shared: Pairs) -> Cells:
    """Shares, quality and cost of one method, without the trials of a start."""
    own = shared.trials(experiment.trials).filter(
        pl.col("method") == method,
        pl.col("task").is_in([task.name for task in shared.tasks]),
        pl.col("proposer").is_null() | (pl.col("proposer") != Proposer.START),
    )
    cells: Cells = {"runs": own["run"].n_unique(), "proposals": own.height, "cut_off": cut_off_share(own)}
    cells |= group_cells(own)
    for fault in KINDS:
        cells |= share_cells(fault.value, own, pl.col("faults").list.contains(str(fault)))
    cells["tokens"] = (own["prompt_tokens"] + own["completion_tokens"]).mean()
    cells["proposal_seconds"] = own["ask_seconds"].mean()
    if shared.seeds:
        cells |= metric_cells("score", mean, final_scores(comparison, method, shared)) | {"measure": shared.measure}
    return cells


def _notes(experiment: Experiment, comparison: Comparison, found: Sequence[Rung]) -> Iterator[str]:
    yield f"Parameters: as loaded, from the catalogue of models. {GROUPS} Trials of a start are not counted."
    yield (
        "Mean: mean of the final incumbents over the method's own runs, as regret if known; each kind of task has "
        "its own scale, so rows of different tasks are not comparable. Tokens (prompt and completion) and "
        f"seconds (asking, with other requests on the same server) are means per proposal. {INTERVALS}"
    )
    if any(rung.cells.get("measure") not in (None, REGRET) for rung in found):
        yield "Loss: the objective if it is minimized, else its negative; lower is better."
    for tasks in dict.fromkeys(rung.tasks for rung in found):
        runs = {rung.method: rung.cells["runs"] for rung in found if rung.tasks == tasks}
        if len(set(runs.values())) > 1:
            yield f"{tasks}: rows are over different runs ({'; '.join(f'{name}: {n}' for name, n in runs.items())})."
    left = [name for name in experiment.methods if name in with_model(experiment) - {rung.method for rung in found}]
    if left:
        yield f"Left out, because the size of their model is not in the catalogue: {listed(left)}."
    yield from unsure_notes(experiment)
    yield from without_result(experiment, comparison, found)


def without_result(experiment: Experiment, comparison: Comparison, found: Sequence[Rung]) -> Iterator[str]:
    """Notes on the runs of these rungs without result: their number, and the value they count with."""
    shared = [_pairs(experiment, comparison, each.method, _names(experiment, each.tasks)) for each in found]
    yield from charge_notes(comparison, zip(shared, [(each.method,) for each in found], strict=True))


def _names(experiment: Experiment, tasks: str) -> set[str]:
    return {run.task for run in experiment.runs if _tasks_of(run) == tasks}


def _said(found: Sequence[Rung]) -> Iterator[str]:
    for line, of_line in lines(found).items():
        if len(of_line) > 1:
            rates = [f"{with_interval(each.cells, Group.INVENTED, 100, ' %')} with {each.model}" for each in of_line]
            yield f"Hallucination rate by size ({line}): {', '.join(rates)}."


TABLE = Entry(60, ladder_findings)
