"""An experiment folder -> one row a run, one row a trial, and every invalid proposal as it was proposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from analysis.replies import read_answers
from analysis.rows import flatten
from analysis.task import Task, task_of
from harness.errors import RunError
from harness.experiments import is_foreign, not_an_experiment
from harness.jsonl import read_rows
from harness.record import read_record

TRIAL_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "run": pl.String,
    "index": pl.Int64,
    "loss": pl.Float64,
    "losses": pl.List(pl.Float64),
    "test": pl.Float64,
    "invalid": pl.Boolean,
    "executed": pl.Boolean,
    "failed": pl.Boolean,
    "error": pl.String,
    "faults": pl.List(pl.String),
    "duplicate": pl.Boolean,
    "near_duplicate": pl.Boolean,
    "replies": pl.Int64,
    "copy": pl.Boolean,
    "refusal": pl.Boolean,
    "predicted": pl.Float64,
    "ask_seconds": pl.Float64,
    "evaluation_seconds": pl.Float64,
    "calls": pl.Int64,
    "prompt_tokens": pl.Int64,
    "cached_tokens": pl.Int64,
    "completion_tokens": pl.Int64,
    "reasoning_tokens": pl.Int64,
    "llm_seconds": pl.Float64,
    "candidates": pl.Int64,
    "candidates_invalid": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Run:
    """One complete run: where it lies, what ``run.json`` says."""

    id: str
    folder: Path
    info: dict[str, Any]

    @property
    def task(self) -> str:
        """``<benchmark>.<task>``."""
        return f"{self.info['benchmark']}.{self.info['task']}"

    @property
    def method(self) -> str:
        """The method as the folders name it."""
        return str(self.info["method"])

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.info["seed"])


@dataclass(frozen=True, slots=True)
class InvalidProposal:
    """A proposal that was no configuration of the space: the run, and the row of its log untouched.

    With ``candidate``, it is that one of the row's candidates, which was drawn and weighed but not proposed.
    """

    run: Run
    row: dict[str, Any]
    candidate: int | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """All complete runs of one experiment.

    Attributes:
        name: The folder's name.
        runs: By method, task and seed; methods without a language model come first.
        tasks: Task name -> what is known about it.
        trials: One row a trial with the columns of ``TRIAL_COLUMNS`` and the run's ``method``, ``task``, ``seed``.
        invalid: Every invalid proposal and candidate, in the order of ``runs``.
        incomplete: "id (status)" of every run that was left out.
    """

    name: str
    runs: tuple[Run, ...]
    tasks: dict[str, Task]
    trials: pl.DataFrame
    invalid: tuple[InvalidProposal, ...]
    incomplete: tuple[str, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """Method names in the order of every table and figure."""
        return tuple(dict.fromkeys(run.method for run in self.runs))


def load(folder: Path) -> Experiment:
    """Read every complete run below ``folder``.

    Raises:
        SettingError: There is no such folder, but others beside it are experiments.
        RunError: It is none, holds no complete run, or one that this version cannot read.
    """
    found = list(_find_runs(folder))
    complete = [run for run in found if run.info["status"] == "complete"]
    incomplete = tuple(f"{run.id} ({run.info['status']})" for run in found if run.info["status"] != "complete")
    if not complete:
        raise RunError(
            f"None of the {len(found)} runs below {folder} is complete: {', '.join(incomplete)}; "
            "start the experiment again, it goes on where it stopped."
        )
    complete.sort(key=lambda run: (run.info["llm"] is not None, run.method, run.task, run.seed))
    _refuse_copies(complete)
    by_task: dict[str, list[dict[str, Any]]] = {}
    for run in complete:
        by_task.setdefault(run.task, []).append(run.info)
    trials, invalid = _read_trials(complete)
    tasks = {name: task_of(by_task[name]) for name in sorted(by_task)}
    name = folder.resolve().name
    return Experiment(name, tuple(complete), tasks, trials, tuple(invalid), incomplete)


def describe_incomplete(incomplete: tuple[str, ...], shown: int = 5) -> str | None:
    """One sentence about the runs that were left out, or None if there are none."""
    if not incomplete:
        return None
    more = f" and {len(incomplete) - shown} more" if len(incomplete) > shown else ""
    verb = "run is" if len(incomplete) == 1 else "runs are"
    return f"{len(incomplete)} {verb} not complete and left out: {', '.join(incomplete[:shown])}{more}."


def _find_runs(folder: Path) -> Iterator[Run]:
    paths = sorted(path for path in folder.glob("*/*/*/run.json") if not _hidden(path.relative_to(folder)))
    if all(map(is_foreign, paths)):
        raise not_an_experiment(folder)
    for path in paths:
        yield Run(path.parent.relative_to(folder).as_posix(), path.parent, read_record(path))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _refuse_copies(runs: list[Run]) -> None:
    first: dict[tuple[str, str, int], Run] = {}
    for run in runs:
        other = first.setdefault((run.method, run.task, run.seed), run)
        if other is not run:
            raise RunError(f"{other.id} and {run.id} are the same run (method, task and seed); move one of them away.")


def _read_trials(runs: list[Run]) -> tuple[pl.DataFrame, list[InvalidProposal]]:
    rows: list[dict[str, Any]] = []
    invalid: list[InvalidProposal] = []
    for run in runs:
        raw = read_rows(run.folder / "trials.jsonl")
        if not raw:
            raise RunError(f"{run.id} is complete but has no trials; move its folder away and run it again.")
        objectives = [objective["name"] for objective in run.info["objectives"]]
        place = {"method": run.method, "task": run.task, "seed": run.seed}
        flat = [flatten(row, run.id, objectives) for row in raw]
        answers = read_answers(raw, run.folder / "calls.jsonl", run.info.get("fidelities") or ())
        rows += [{**row, **answer, **place} for row, answer in zip(flat, answers, strict=True)]
        invalid += [InvalidProposal(run, row, number) for row in raw for number in _invalid_in(row)]
    schema = TRIAL_COLUMNS | {"method": pl.String, "task": pl.String, "seed": pl.Int64}
    return pl.DataFrame(rows, schema=schema), invalid


def _invalid_in(row: dict[str, Any]) -> Iterator[int | None]:
    """None for the proposal, then the numbers of the candidates that are invalid and not the proposal itself."""
    if row["violations"]:
        yield None
    for number, candidate in enumerate(row.get("candidates") or ()):
        proposed = candidate["proposed"] == row["proposed"] and [candidate["call"]] == row["calls"]
        if candidate["violations"] and not proposed:
            yield number
