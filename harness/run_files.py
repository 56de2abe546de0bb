"""Where the runs of a folder are on disk."""

from __future__ import annotations

import difflib
from pathlib import Path

from harness.errors import RunError
from harness.packed import ANYWHERE, packed_runs
from harness.record import FILE

OF_EXPERIMENT = "*/*/*"
"""Depth of a run's folder below its experiment: ``<benchmark>.<task>/<method>/<seed>``."""


def run_files(folder: Path, pattern: str = OF_EXPERIMENT) -> list[Path]:
    """Every run.json below a folder, on disk or packed, sorted, except those in hidden folders (moved away).

    Args:
        folder: An experiment's folder, or one around it.
        pattern: Glob of the runs' folders below it.
    """
    found = {*folder.glob(f"{pattern}/{FILE}"), *packed_runs(folder, pattern)}
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def every_run_file(folder: Path) -> list[Path]:
    """Every run.json at or below a folder that the user named, sorted.

    Raises:
        RunError: The folder does not exist, or holds no run.
    """
    found = run_files(folder, ANYWHERE)
    if not found and not folder.is_dir():
        neighbours = [path.name for path in folder.absolute().parent.glob("*") if path.is_dir()]
        near = difflib.get_close_matches(folder.name, neighbours, n=1)
        hint = f"did you mean {folder.parent / near[0]}?" if near else "give an experiment's, e.g. runs/quickstart."
        raise RunError(f"There is no folder {folder}; {hint}")
    if not found:
        raise RunError(f"No {FILE} at or below {folder}; give the folder of an experiment, e.g. runs/quickstart.")
    return found
