"""Read an experiment folder: one row per run, one row per trial, and every invalid proposal as proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from analysis.runs.breaches import held_to_rows
from analysis.runs.cached import RunCache
from analysis.runs.labels import Labels
from analysis.runs.logs import Logs
from analysis.runs.task import Task, task_of
from harness.errors import RunError
from harness.experiments import is_foreign, not_an_experiment
from harness.identity import Identity, identity_in
from harness.record import OlderRecordError, renewal
from harness.records import Records
from harness.run_files import run_files
from harness.visible import listed


@dataclass(frozen=True, slots=True)
class Run:
    """One complete run: its folder and the contents of ``run.json``."""

    id: str
    folder: Path
    info: dict[str, Any]
    label: str | None = None
    """Label of its method."""

    @property
    def task(self) -> str:
        """``<benchmark>.<task>``."""
        return f"{self.info['benchmark']}.{self.info['task']}"

    @property
    def method(self) -> str:
        """The method's label if ``labelled``, else its folder name."""
        return self.label or self.folder_method

    @property
    def folder_method(self) -> str:
        """The method's folder name."""
        return str(self.info["method"])

    @property
    def identity(self) -> Identity:
        """Its choices, and the settings that differ from their defaults."""
        return identity_in(self.info)

    @property
    def shared(self) -> tuple[int, int]:
        """Equal only for runs with the same identity: their records share it (``harness.records``)."""
        return id(self.info["choices"]), id(self.info["settings"])

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.info["seed"])


@dataclass(frozen=True, slots=True)
class InvalidProposal:
    """A proposal that is not a configuration of the space: the run, and the unchanged row of its log.

    With ``candidate``, it is a candidate of the row that was drawn but not proposed.
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
        tasks: Task name -> task.
        trials: One row per trial, with the columns of ``analysis.runs.columns.TRIALS``.
        invalid: Every invalid proposal and candidate, in the order of ``runs``.
        incomplete: "id (status)" of every run that was left out because it is not complete.
        damaged: A sentence for every run that was left out because its files are damaged, with the reason and repair.
        labels: Labels of the methods; None if methods have their folder names.
    """

    name: str
    runs: tuple[Run, ...]
    tasks: dict[str, Task]
    trials: pl.DataFrame
    invalid: tuple[InvalidProposal, ...]
    incomplete: tuple[str, ...]
    damaged: tuple[str, ...] = ()
    labels: Labels | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """Method names in the order of all tables and figures."""
        return tuple(dict.fromkeys(run.method for run in self.runs))

    def methods_of(self, optimizer: str) -> tuple[str, ...]:
        """The methods of one optimizer."""
        return tuple(dict.fromkeys(run.method for run in self.runs if run.info["optimizer"] == optimizer))


def load(folder: Path) -> Experiment:
    """Read every complete run below ``folder``.

    Raises:
        SettingError: There is no such folder, but there are other experiments beside it.
        RunError: It is not an experiment, or has no complete, undamaged run.
    """
    found, damaged = _find_runs(folder)
    complete = [run for run in found if run.info["status"] == "complete"]
    incomplete = tuple(f"{run.id} ({run.info['status']})" for run in found if run.info["status"] != "complete")
    complete.sort(key=lambda run: (run.info["llm"] is not None, run.method, run.task, run.seed))
    logs = Logs(complete, RunCache(folder))
    damaged += logs.damaged
    if not logs.whole:
        raise _nothing_whole(folder, incomplete, damaged)
    _refuse_copies(logs.whole)
    by_task: dict[str, list[dict[str, Any]]] = {}
    for run in logs.whole:
        by_task.setdefault(run.task, []).append(run.info)
    declared = {name: task_of(by_task[name]) for name in sorted(by_task)}
    tasks = {name: held_to_rows(task, logs.trials.filter(pl.col("task") == name)) for name, task in declared.items()}
    invalid = tuple(InvalidProposal(run, *each) for run in logs.whole for each in logs.invalid.get(run.id, ()))
    name = folder.resolve().name
    return Experiment(name, tuple(logs.whole), tasks, logs.trials, invalid, incomplete, tuple(damaged))


def labelled(experiment: Experiment) -> Experiment:
    """The experiment with methods named by their labels, for readers."""
    labels = Labels(run.info for run in experiment.runs)
    runs = {run.id: replace(run, label=labels[run.folder_method]) for run in experiment.runs}
    names = {run.folder_method: run.method for run in runs.values()}
    return replace(
        experiment,
        runs=tuple(runs.values()),
        trials=experiment.trials.with_columns(pl.col("method").replace_strict(names, return_dtype=pl.String)),
        invalid=tuple(replace(found, run=runs[found.run.id]) for found in experiment.invalid),
        labels=labels,
    )


def describe_incomplete(incomplete: tuple[str, ...], shown: int = 5) -> str | None:
    """One sentence about incomplete runs, or None if there are none."""
    if not incomplete:
        return None
    verb = "run is" if len(incomplete) == 1 else "runs are"
    return f"{len(incomplete)} {verb} not complete and left out: {listed(incomplete, shown)}."


def _find_runs(folder: Path) -> tuple[list[Run], list[str]]:
    """Every run, and a sentence for every run.json that cannot be read.

    Raises:
        RunError: There is no run, or one of an earlier version whose fields do not identify it.
    """
    paths = run_files(folder)
    if all(map(is_foreign, paths)):
        raise not_an_experiment(folder)
    found, damaged, older, records = [], [], 0, Records()
    for path in paths:
        try:
            found.append(Run("/".join(path.parts[-4:-1]), path.parent, records.read(path)))
        except OlderRecordError:
            older += 1
        except RunError as error:
            damaged.append(str(error))
    if older:
        runs = "1 run" if older == 1 else f"{older} runs"
        raise RunError(
            f"An earlier version recorded {runs} below {folder}; renew their run.json first: {renewal(folder)}"
        )
    return found, damaged


def _nothing_whole(folder: Path, incomplete: Sequence[str], damaged: Sequence[str]) -> RunError:
    left = f": {', '.join(incomplete)}; start the experiment again to resume it." if incomplete else "."
    number = len(incomplete) + len(damaged)
    return RunError("\n".join([f"None of the {number} runs below {folder} is complete and undamaged{left}", *damaged]))


def _refuse_copies(runs: list[Run]) -> None:
    first: dict[tuple[str, str, int], Run] = {}
    for run in runs:
        other = first.setdefault((run.method, run.task, run.seed), run)
        if other is not run:
            raise RunError(f"{other.id} and {run.id} are the same run (method, task and seed); move one of them away.")
