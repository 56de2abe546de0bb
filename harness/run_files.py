"""Where the runs of a folder are on disk."""

from __future__ import annotations

from pathlib import Path

from harness.record import FILE

OF_EXPERIMENT = "*/*/*"
"""Depth of a run's folder below its experiment: ``<benchmark>.<task>/<method>/<seed>``."""
ANYWHERE = "**"


def run_files(folder: Path, pattern: str = OF_EXPERIMENT) -> list[Path]:
    """Every run.json below a folder, sorted, except those in hidden folders (a run that a user moved away).

    Args:
        folder: An experiment's folder, or one around it.
        pattern: Glob of the runs' folders below it.
    """
    found = folder.glob(f"{pattern}/{FILE}")
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))
