"""Recited configurations versus the benchmark's table: ``optimizers/recitation.py``.

A recited configuration is scored by the share of all configurations that are better, weighted as random search draws
them; ties count half. A random configuration scores 50 % on average, for any losses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.present.cells import Cells, metric_cells
from analysis.present.render import number_text, with_interval
from analysis.present.table import INTERVAL, Column, Entry, Findings, Table, frame_of
from analysis.runs.load import Experiment
from analysis.runs.task import Task
from analysis.stats.material import Material
from harness.jsonl import encode, read_rows

Floats = npt.NDArray[np.float64]

RECITATION, CONTROL = "recitation", "random_search"
OF_SCORES = ("scores", "score", "error", "impossible")
"""Columns without a meaning for the control, which recites no scores."""

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("task", ("task",), "text"),
    Column("answers", ("answers",), "count"),
    Column("valid (%)", ("valid",), "percent"),
    Column("distinct", ("distinct",), "count"),
    Column("better (%)", ("better",), "percent"),
    Column(INTERVAL, ("better_lower", "better_upper"), "percent"),
    Column("best recited", ("best",)),
    Column("optimum", ("optimum",)),
    Column("optimum recited", ("recalled",), "text"),
    Column("recited scores", ("scores",), "count"),
    Column("recited score", ("score",)),
    Column("error of score", ("error",)),
    Column("impossible (%)", ("impossible",), "percent"),
)


@dataclass(frozen=True, slots=True)
class Recited:
    """Answers of one method on one task, over all of its seeds.

    Attributes:
        answers: Number of answers.
        distinct: Number of different valid configurations.
        losses: Losses of the evaluated valid ones, shape (n,).
        predicted: The scores recited with them, as reported, shape (n,); NaN if there is none.
        scores: All recited scores as reported, including those of invalid answers, shape (m,).
        better: For each of ``losses`` the share of all configurations that are better; empty if unknown.
    """

    method: str
    task: Task
    answers: int
    valid: int
    distinct: int
    losses: Floats
    predicted: Floats
    scores: Floats
    better: Floats

    @property
    def recalled(self) -> bool | None:
        """Whether any of them is as good as the table's best; None if unknown."""
        return None if self.task.optimum is None else bool((self.losses <= self.task.optimum).any())

    @property
    def impossible(self) -> npt.NDArray[np.bool_] | None:
        """For each of ``scores``, whether it is better than the best attainable one; None if unknown."""
        return None if self.task.optimum is None else self.task.values(self.scores) < self.task.optimum


def recitation_findings(of: Material) -> Findings:
    """The table, if anything was recited; random search shows the chance level."""
    experiment = of.experiment
    methods, controls = experiment.methods_of(RECITATION), experiment.methods_of(CONTROL)
    if not methods:
        return Findings()
    shown = [method for method in experiment.methods if method in {*methods, *controls}]
    found = [each for method in shown for each in recited(experiment, method)]
    rows = [_row(each) for each in found]
    notes = [
        "Configurations recited from memory, without any history; all answers of all seeds. Better: share of all "
        "configurations that are better than a valid recited one, ties counted half; median over answers "
        "(chance: 50 %), with a bootstrap interval over answers. Recited score: median, as reported; error of score: "
        "median absolute difference to the true score of the configuration; impossible: better than any "
        "configuration of the table. Optimum recited: whether the answers include an optimal configuration.",
    ]
    of_controls = [number for number, each in enumerate(found) if each.method in controls]
    if of_controls:
        notes.append(f"{controls[0]} recites nothing and shows the chance level.")
    absent = frozenset((number, key) for number in of_controls for key in OF_SCORES)
    title = "Recitation of the benchmark from memory"
    table = Table(RECITATION, title, frame_of(rows, COLUMNS), COLUMNS, tuple(notes), absent)
    said = [_sentence(method, [each for each in found if each.method == method]) for method in methods]
    return Findings((table,), tuple(sentence for sentence in said if sentence))


def recited(experiment: Experiment, method: str) -> Iterator[Recited]:
    """Answers of a method, by task."""
    for task in experiment.tasks.values():
        trials = experiment.trials.filter((pl.col("method") == method) & (pl.col("task") == task.name))
        if not trials.height:
            continue
        valid = trials.filter(~pl.col("invalid"))
        evaluated = valid.filter(pl.col("loss").is_not_null())
        losses = evaluated["loss"].to_numpy()
        quantiles = _quantiles(experiment, task)
        yield Recited(
            method,
            task,
            answers=trials.height,
            valid=valid.height,
            distinct=_distinct(experiment, method, task),
            losses=losses,
            predicted=evaluated["predicted"].fill_null(np.nan).to_numpy(),
            scores=trials["predicted"].drop_nulls().to_numpy(),
            better=np.empty(0) if quantiles is None else share_better(losses, quantiles),
        )


def share_better(losses: Floats, quantiles: Floats) -> Floats:
    """The share of all configurations with a lower loss; ties count half.

    Args:
        losses: Shape (n,).
        quantiles: Losses at equally spaced shares from 0 to 1, increasing, shape (q,).

    Returns:
        Shape (n,), accurate to half a step between two shares.
    """
    lower, upper = (np.searchsorted(quantiles, losses, side=side) for side in ("left", "right"))
    shares: Floats = ((lower + upper) / 2 - 0.5) / (len(quantiles) - 1)
    return shares.clip(0.0, 1.0)


def median(scores: Floats) -> Floats:
    """Median over all runs on all tasks, shape (..., runs, tasks) -> (...)."""
    result: Floats = np.median(scores, axis=(-2, -1))
    return result


def _quantiles(experiment: Experiment, task: Task) -> Floats | None:
    """The task's loss quantiles as recorded by any of its runs; None for older runs."""
    known = (run.info.get("loss_quantiles") for run in experiment.runs if run.task == task.name)
    return next((np.array(losses, dtype=np.float64) for losses in known if losses), None)


def _distinct(experiment: Experiment, method: str, task: Task) -> int:
    runs = [run for run in experiment.runs if (run.method, run.task) == (method, task.name)]
    rows = [row for run in runs for row in read_rows(run.folder / "trials.jsonl") if not row["violations"]]
    return len({encode(dict(sorted(row["proposed"].items()))) for row in rows})


def _row(found: Recited) -> Cells:
    task = found.task
    row: Cells = {"method": found.method, "task": task.name, "answers": found.answers, "distinct": found.distinct}
    row["valid"] = found.valid / found.answers
    row["optimum"] = None if task.optimum is None else task.value(task.optimum)
    row["recalled"] = None if found.recalled is None else ("yes" if found.recalled else "no")
    row["scores"] = len(found.scores)
    if len(found.better):
        row |= metric_cells("better", median, found.better[:, None])
    if len(found.losses):
        row["best"] = task.value(float(found.losses.min()))
    if len(found.scores):
        row["score"] = float(np.median(found.scores))
        row["impossible"] = None if found.impossible is None else float(found.impossible.mean())
    errors = np.abs(found.predicted - task.values(found.losses))
    if not np.isnan(errors).all():
        row["error"] = float(np.nanmedian(errors))
    return row


def _sentence(method: str, found: Sequence[Recited]) -> str | None:
    """One sentence over all tasks; None if no share of better configurations is known."""
    shares = np.concatenate([each.better for each in found])
    if not len(shares):
        return None
    cells = metric_cells("better", median, shares[:, None])
    recalled = [each.recalled for each in found if each.recalled is not None]
    impossible = [each.impossible for each in found if each.impossible is not None]
    scores = np.concatenate(impossible) if impossible else np.empty(0)
    claimed = (
        f"; {number_text(100 * float(scores.mean()))} % of its {len(scores):,} recited scores are better than any "
        "configuration of the table"
        if len(scores)
        else ""
    )
    return (
        f"{method}: of all configurations, {with_interval(cells, 'better', 100, ' %')} are better than the median one "
        f"of its {len(shares):,} valid recitations (chance: 50 %); it recited an optimal one on {sum(recalled)} of "
        f"{len(recalled)} tasks{claimed}."
    )


TABLE = Entry(170, recitation_findings)
