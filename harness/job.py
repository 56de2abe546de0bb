"""One job of a command: which run it means, where that run is on disk, and what is left to do for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.build import build_all
from harness.console import say
from harness.errors import HyperboleError, RunError
from harness.folder import RunFolder, first_difference, refuse_if_different
from harness.former_names import run_elsewhere
from harness.packed import is_packed
from harness.placed import placed
from harness.record import SCHEMA, renewal
from harness.sources import changed, sources
from harness.whole import DamagedError, check_whole

_WARNED: set[str] = set()
"""Changed files and older experiments that this process has reported: a sweep of complete runs reports each once."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run that a command asks for.

    Attributes:
        runs: The folder ``runs``.
        place: ``<experiment>/<benchmark>.<task>/<method>/<seed>``.
        identity: The fields of run.json that identify the run, including ``config``.
        config: The resolved configuration, with ``FOLDER`` in its paths.
    """

    runs: Path
    place: str
    identity: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def folder(self) -> RunFolder:
        """The run's own folder."""
        return RunFolder(self.runs / self.place)

    def built_from(self) -> dict[str, Any]:
        """The configuration to build the run from, with paths into its folder."""
        return dict(placed(self.config, str(self.folder.path)))


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a job.

    Attributes:
        status: complete, skipped (it was complete before) or busy (another process has the run).
        folder: The run's folder; that of the same run under another name if it has one.
        loss: The lowest loss of the first objective, if the run was worked on.
    """

    status: str
    folder: Path
    loss: float | None = None


def work(job: Job, live: bool, report: Callable[[str], None] = say) -> Done:
    """Start, resume or skip one run.

    Args:
        job: The job.
        live: Whether its progress line is redrawn after trials.
        report: Prints that a run is complete or locked.

    Raises:
        HyperboleError: As ``harness.perform.perform``; also when the folder holds another run.
    """
    folder = job.folder
    with folder.lock() as held:
        if not held:
            report(f"{job.place}: locked by another process; skipped")
            return Done("busy", folder.path)
        if (done := found(job)) is not None:
            if done.folder == folder.path:
                report(f"{job.place}: complete; skipped")
            return done
        from harness.perform import perform  # a run that is skipped needs none of it

        return Done("complete", folder.path, perform(job.built_from(), folder, job.identity, live=live))


def found(job: Job, check: Callable[[Mapping[str, Any]], None] = build_all) -> Done | None:
    """The job as done if its complete run is on disk; None if it is to be started or resumed.

    Args:
        job: The job.
        check: Reports a wrong setting of a job whose folder holds another run, as a misspelt value is the likelier
            mistake.

    Raises:
        HyperboleError: It can be neither started nor resumed.
    """
    run = job.folder.read(oldest=1)
    return _elsewhere(job) if run is None else _recorded(job, run, check)


def refuse_unlike(first: Job, other: Job) -> None:
    """Make sure that two jobs of a sweep that have one folder are the same run.

    Raises:
        RunError: They differ in something that is part of no name, such as the size of the budget.
    """
    one, two = dict(first.identity["config"]), dict(other.identity["config"])
    if one != two and (what := first_difference(one, two)) is not None:
        raise RunError(
            f"Two jobs of this sweep share the folder {other.place}, and {what}; give each a name= of its own, such as "
            "'name=of_${budget.proposals}'."
        )


def done_already(job: Job) -> Done | None:
    """The job as done if its own folder holds its complete run, seen without the lock; else None."""
    try:
        run = job.folder.read(oldest=1)
        return _recorded(job, run, build_all) if run is not None and run["status"] == "complete" else None
    except HyperboleError:
        return None  # the run itself reports it


def _recorded(job: Job, run: dict[str, Any], check: Callable[[Mapping[str, Any]], None]) -> Done | None:
    """The job as done if the record is that of its complete run; None if it is to be resumed.

    Raises:
        RunError: The record is of another run, or of an earlier version and not complete.
    """
    folder, recorded = job.folder, job.identity["config"]
    try:
        refuse_if_different(run, recorded, folder.path)
    except RunError:
        check(job.built_from())
        raise
    if run["status"] == "complete" and _is_whole(folder, run):
        experiment = folder.path.parents[2]
        if run["schema"] < SCHEMA:
            said = f"{job.place}: complete, and recorded by an earlier version"
            _warn_once(f"{said}; {renewal(experiment)} renews its record", str(experiment))
        _warn_of_changes(job.place, changed(run.get("sources") or {}, sources(recorded)))
        return Done("skipped", folder.path)
    folder.read()  # only a record of this version can be resumed
    return None


def _elsewhere(job: Job) -> Done | None:
    """The job as done if a folder of another name holds its run.

    Raises:
        RunError: The folder has trials that no run.json describes, or the other one is not complete.
    """
    path = job.folder.path
    if job.folder.rows():
        raise RunError(f"{path} holds trials but no run.json; move the folder away and run it again.")
    if (other := run_elsewhere(path, job.identity)) is None:
        return None
    where, what = other
    _warn_once(f"{job.place}: {what}", str(path.parents[2]))
    return Done("skipped", where)


def _is_whole(folder: RunFolder, run: Mapping[str, Any]) -> bool:
    """Whether a complete run has its full log; a truncated log is continued.

    Raises:
        DamagedError: The log is damaged in another way and cannot be continued.
    """
    try:
        check_whole(folder.path, run)
    except DamagedError as error:
        if not error.goes_on or is_packed(folder.path):
            raise
        say(f"{error}")
        return False
    return True


def _warn_of_changes(place: str, files: Sequence[str]) -> None:
    """Warn that a complete run was made by an older version of the code."""
    if files:
        _warn_once(
            f"{place}: complete, but recorded before {' and '.join(files)} changed, so its numbers are from the old "
            "code; run it again under another name=, or move its folder away first.",
            *files,
        )


def _warn_once(text: str, *about: str) -> None:
    """Print a warning to standard error, once per process and subject."""
    if not _WARNED.issuperset(about):
        _WARNED.update(about)
        sys.stderr.write(f"{text}\n")
