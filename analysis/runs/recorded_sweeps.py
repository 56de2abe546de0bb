"""The commands that made an experiment's runs, from ``sweeps.jsonl``, each with its runs' calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.runs.calls import Call, read_calls
from analysis.runs.lines import sweep_lines
from analysis.runs.load import Experiment

FILE = "sweeps.jsonl"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One command: its line, and the calls of its runs.

    Attributes:
        line: Line of ``sweeps.jsonl``.
        calls: Run id -> the calls that began while the command ran; runs without calls are left out.
    """

    line: Mapping[str, Any]
    calls: Mapping[str, tuple[Call, ...]]

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of all of its calls."""
        return sum(call.tokens for calls in self.calls.values() for call in calls)

    def joules(self, kind: str) -> float | None:
        """``gpu_joules`` or ``cpu_joules``; None if not measured."""
        value = (self.line.get("energy") or {}).get(kind)
        return None if value is None else float(value)


def read_sweeps(experiment: Experiment) -> tuple[Sweep, ...]:
    """Every recorded command of an experiment, in the order of their ends; empty if nothing was recorded.

    Raises:
        RunError: A line is damaged.
    """
    folder = experiment.runs[0].folder.parents[2]
    return tuple(_read(folder, line) for line in sweep_lines(folder / FILE))


def _read(folder: Path, line: Mapping[str, Any]) -> Sweep:
    start, end = (datetime.fromisoformat(line[key]).timestamp() for key in ("started_at", "finished_at"))
    known = [run for run in line["runs"] if _is_below(run)]
    calls = {run: read_calls(folder / run / "calls.jsonl") for run in known}
    inside = {run: tuple(call for call in found if start <= call.start <= end) for run, found in calls.items()}
    return Sweep(line, {run: found for run, found in inside.items() if found})


def _is_below(run: str) -> bool:
    """Whether a path names a run of the experiment; paths outside of it are not followed."""
    parts = Path(run).parts
    return len(parts) == len(Path("task/method/seed").parts) and ".." not in parts and not Path(run).is_absolute()
