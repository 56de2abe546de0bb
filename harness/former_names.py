"""Find a run recorded under an older name: by an earlier naming scheme, or under other configuration files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from glob import escape
from pathlib import Path
from typing import Any

from harness.errors import RunError
from harness.folder import first_difference
from harness.names import written
from harness.packed import State, state_of
from harness.record import read_record, renewal
from harness.run_files import run_files

EXPERIMENT = 2
"""Levels from a run's folder up to the experiment's folder: the method, the task."""


def run_elsewhere(folder: Path, identity: Mapping[str, Any]) -> tuple[Path, str] | None:
    """Find a run without a folder of its current name; None for a new run. Returns its folder and a message.

    Args:
        folder: Folder of the current name: ``runs/<experiment>/<benchmark>.<task>/<method>/<seed>``.
        identity: The identifying fields of run.json.

    Raises:
        RunError: The run exists under another name and is incomplete; it can continue only under the current name.
    """
    experiment = folder.parents[EXPERIMENT]
    for path in _of_one_seed(experiment, str(identity["benchmark"]), str(identity["seed"])):
        if path.parent == folder:
            continue
        try:
            run = _recorded(path, state_of(path))
        except (OSError, RunError):  # reported by analysis
            continue
        if _gist(run["config"]) != _gist(identity["config"]):
            continue
        if run["seed"] == identity["seed"] and first_difference(run["config"], identity["config"]) is None:
            said = f"the same run is in {path.parent} under another name"
            if run["status"] != "complete":
                raise RunError(f"{said} and is {run['status']}; {renewal(experiment)} renames it, then it continues.")
            return path.parent, f"{said}, complete; skipped ({renewal(experiment)} renames it)"
    return None


@lru_cache(maxsize=4096)
def _recorded(path: Path, state: State | None) -> dict[str, Any]:
    """A record, read once per process and version of its file."""
    return read_record(path, oldest=1)


def _gist(config: Mapping[str, Any]) -> list[Any]:
    """What most different runs differ in, quick to compare: classes and task."""
    nodes = (config.get(group) or {} for group in ("optimizer", "benchmark", "llm"))
    task = (config.get("benchmark") or {}).get("task")
    return [*(node.get("_target_") for node in nodes), written(task) if isinstance(task, int | float) else task]


def _of_one_seed(experiment: Path, benchmark: str, seed: str) -> list[Path]:
    """Every run.json of a benchmark and seed, except in folders that were moved away."""
    return run_files(experiment, f"{escape(benchmark)}.*/*/{seed}")
