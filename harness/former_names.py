"""The same run under another name: recorded before names followed from values, or when other files named it."""

from __future__ import annotations

from collections.abc import Mapping
from glob import escape
from pathlib import Path
from typing import Any

from harness.errors import RunError
from harness.folder import first_difference
from harness.moved import renewed
from harness.record import read_record, renewal
from harness.run_files import run_files

EXPERIMENT = 2
"""Parents of a run's folder up to the experiment's: the method, the task."""


def run_elsewhere(folder: Path, identity: Mapping[str, Any]) -> tuple[Path, str] | None:
    """Where a run lies that has not its own folder yet, and a sentence that says so; None where it is new.

    Args:
        folder: Its own: ``runs/<experiment>/<benchmark>.<task>/<method>/<seed>``.
        identity: The fields of run.json that say which run it is.

    Raises:
        RunError: It lies there and is not complete: it can go on only under its own name.
    """
    experiment = folder.parents[EXPERIMENT]
    for path in _of_one_seed(experiment, str(identity["benchmark"]), str(identity["seed"])):
        if path.parent == folder:
            continue
        try:
            run = read_record(path, oldest=1)
        except (OSError, RunError):  # damaged: analysis names it
            continue
        if run["seed"] == identity["seed"] and first_difference(renewed(run["config"]), identity["config"]) is None:
            said = f"the same run lies in {path.parent} under another name"
            if run["status"] != "complete":
                raise RunError(f"{said} and is {run['status']}; {renewal(experiment)} renames it, then it can go on.")
            return path.parent, f"{said}, complete; skipped ({renewal(experiment)} renames it)"
    return None


def _of_one_seed(experiment: Path, benchmark: str, seed: str) -> list[Path]:
    """Every run.json of a benchmark and seed, but those in folders that were moved away."""
    return run_files(experiment, f"{escape(benchmark)}.*/*/{seed}")
