"""Summaries of a finished run or sweep, from the files on disk."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from harness.console import duration, invalid_share, is_terminal
from harness.errors import RunError
from harness.jsonl import read_rows
from harness.problem import Objective
from harness.progress import Count
from harness.record import FILE, read_record

TASKS_SHOWN = 8
GOES_ON = "the same command continues with the rest"


def run_summary(folder: Path) -> str:
    """Two lines: the best value and the invalid rate of a run, its folder and the next command.

    The first line is left out on a terminal, where the progress line has the same content.
    """
    where = f"Results: {_shown(folder)}; next: {_analysis(folder.parents[2])}"
    if is_terminal(sys.stderr) and is_terminal(sys.stdout):
        return where
    run, totals = _read(folder)
    if run is None or totals is None:
        return where
    trials, share = totals["trials"], invalid_share(totals["invalid"], totals["invented"], totals["trials"])
    proposals = "1 proposal" if trials == 1 else f"{trials:,} proposals"
    name = f"{run['benchmark']}.{run['task']} {run['method']} seed {run['seed']}"
    return f"{name}: {run['status']}, {proposals}, {share}, {_best(run, totals)}\n{where}"


class SweepSummary:
    """Adds up the runs of a sweep as they end.

    Args:
        experiment: ``runs/<experiment>``.
        total: Number of jobs of the sweep, if known.
    """

    def __init__(self, experiment: Path, total: int | None) -> None:
        self._experiment, self._total = experiment, total
        self._jobs: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._experiments: dict[Path, None] = {}
        self._busy: list[str] = []
        self._trials = self._invalid = self._invented = 0
        self._tasks: dict[str, tuple[float, str]] = {}

    @property
    def ended(self) -> int:
        """Jobs that have ended, with any status."""
        return self._jobs.total()

    @property
    def failed(self) -> int:
        """Jobs that have failed."""
        return self._jobs["failed"]

    @property
    def proposals(self) -> tuple[int, int]:
        """Number of proposals of complete runs, and of those with an invented fault."""
        return self._trials, self._invented

    def add(self, status: str, folder: str | None) -> None:
        """Count a job: complete, skipped (complete before), busy (in another process), failed, interrupted."""
        self._jobs[status] += 1
        if status == "busy" and folder is not None:
            self._busy.append(folder)
        if folder is None or folder in self._seen or status not in ("complete", "skipped"):
            return
        self._seen.add(folder)
        self._experiments[Path(folder).parents[2]] = None
        run, totals = _read(Path(folder))
        if run is None or totals is None:
            return
        self._trials += totals["trials"]
        self._invalid += totals["invalid"]
        self._invented += totals["invented"]
        task = f"{run['benchmark']}.{run['task']}"
        best = totals["best"]
        if best is not None and (task not in self._tasks or best < self._tasks[task][0]):
            self._tasks[task] = (best, f"{_best(run, totals)} by {run['method']}, seed {run['seed']}")

    def text(self, seconds: float) -> str | None:
        """The final summary; None if no job ended."""
        shared = sum(folder in self._seen for folder in self._busy)  # two jobs of this sweep were the same run
        complete = self._jobs["complete"] + self._jobs["skipped"] + shared
        if not complete:
            return None
        total = max(self.ended, self._total or 0)
        notes = [
            f"{number} {words}"
            for number, words in (
                (self._jobs["skipped"], "of them before"),
                (shared, "of them by another job"),
                (self._jobs["busy"] - shared, "in another process"),
                (self._jobs["failed"], "failed"),
            )
            if number
        ]
        aside = f" ({', '.join(notes)})" if notes else ""
        counts = f"{self._trials:,} proposals, {invalid_share(self._invalid, self._invented, self._trials)}"
        experiments = list(self._experiments) or [self._experiment]  # name may be swept over
        said = f"{', '.join(map(_shown, experiments))}: {complete} of {total} runs complete{aside}; {counts}"
        lines = [f"{said}; this sweep took {duration(seconds)}"]
        lines += [f"{task}: {self._tasks[task][1]}" for task in sorted(self._tasks)[:TASKS_SHOWN]]
        if len(self._tasks) > TASKS_SHOWN:
            lines.append(f"and {len(self._tasks) - TASKS_SHOWN} tasks more")
        after = f"; {GOES_ON}" if complete < total else ""
        return "\n".join([*lines, f"Next: {' && '.join(map(_analysis, experiments))}{after}"])


def _read(folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """A run's record and totals, which older records lack; None if unreadable (reported by analysis)."""
    try:
        run = read_record(folder / FILE)
        if (totals := run.get("totals")) is not None:
            return run, totals
        count = Count(run["objectives"][0]["name"])
        for row in read_rows(folder / "trials.jsonl"):
            count.add(row)
    except (OSError, RunError, LookupError, TypeError):
        return None, None
    return run, count.totals()


def _best(run: dict[str, Any], totals: dict[str, Any]) -> str:
    if (loss := totals["best"]) is None:
        return "none evaluated at the highest fidelity" if totals["below"] else "no valid configuration evaluated"
    first = run["objectives"][0]
    return f"best {first['name']} {Objective(first['name'], first['direction']).value(loss):.4g}"


def _analysis(experiment: Path) -> str:
    return f"python -m analysis {shlex.quote(_shown(experiment))}"


def _shown(path: Path) -> str:
    """A path relative to the working folder if it is inside."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
