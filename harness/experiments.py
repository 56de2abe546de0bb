"""Find experiments on disk, to suggest one when a path is not an experiment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import HyperboleError, RunError, unknown
from harness.packed import RUNS_FILE, content_of
from harness.visible import listed

SHOWN = 10
MAKES_ONE = "python -m harness.run makes one in runs/"
LOOKED_INTO = 500
"""Limit of folders searched for experiments, since a user may name ``/``."""
_LEVELS = {0: "a run", 1: "a method", 2: "a task"}


def not_an_experiment(folder: Path) -> HyperboleError:
    """The error for a path that is not an experiment: what it is instead, and which path to give."""
    if folder.exists() and not folder.is_dir():
        return RunError(f"{str(folder)!r} is a file; {_choices(folder.parent)}")
    if not folder.is_dir():
        names = [path.name for path in experiments_in(folder.parent)]
        if names:
            return unknown("experiment", folder.name, names)
        return RunError(f"There is no folder {str(folder)!r}; {_choices(Path('runs'))}")
    whole = folder.resolve()
    for level, what in _LEVELS.items():
        if any(map(_is_run, _run_files(whole, level))):
            experiment = os.path.relpath(whole.parents[2 - level])
            return RunError(f"{str(folder)!r} is {what} of an experiment; give the experiment: {experiment}.")
    below = listed([path.name for path in experiments_in(folder)], SHOWN)
    choices = f"give one of its experiments: {below}." if below else _choices(folder / "runs")
    return RunError(f"{str(folder)!r} holds no runs (<benchmark>.<task>/<method>/<seed>/run.json); {choices}")


def experiments_in(folder: Path) -> list[Path]:
    """The direct subfolders that are experiments, i.e. hold a run of this program."""
    return [path for path in _folders(folder) if (path / RUNS_FILE).is_file() or any(map(_is_run, _run_files(path, 3)))]


def _choices(folder: Path) -> str:
    found = listed([str(path) for path in experiments_in(folder) or experiments_in(Path("runs"))], SHOWN)
    return f"give an experiment: {found}." if found else f"there are no experiments yet; {MAKES_ONE}."


def _run_files(folder: Path, levels: int) -> Iterator[Path]:
    """Every run.json at the given depth below a folder, until the limit of searched folders is reached."""
    waiting = [(folder, levels)]
    for _ in range(LOOKED_INTO):
        if not waiting:
            return
        here, below = waiting.pop()
        if below:
            waiting += [(path, below - 1) for path in _folders(here)]
        elif (here / "run.json").is_file():
            yield here / "run.json"


def _folders(folder: Path) -> list[Path]:
    """The subfolders that are not hidden; none if the folder cannot be read."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def is_foreign(path: Path) -> bool:
    """Whether a run.json is readable and belongs to another program."""
    run = _contents(path)
    return run is not None and not _is_ours(run)


def _is_run(path: Path) -> bool:
    """Whether a run is at the path that its record names; depth alone would make ``/tmp`` an experiment."""
    run: Any = _contents(path)
    return _is_ours(run) and [str(run.get("method")), str(run.get("seed"))] == [*path.parts[-3:-1]]


def _is_ours(run: Any) -> bool:
    return isinstance(run, dict) and ("schema" in run or "objectives" in run)


def _contents(path: Path) -> Any:
    """The contents of a JSON file; None if it cannot be read."""
    try:
        return json.loads(content_of(path) or b"")
    except (OSError, ValueError, RecursionError):
        return None
