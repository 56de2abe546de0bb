"""What a run of any length takes, trial by trial, from recorded runs of another length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.budget import Budget

Floats = npt.NDArray[np.float64]
QUANTITIES = ("evaluations", "calls", "prompt_tokens", "cached_tokens", "completion_tokens", "seconds", "wall_seconds")
GROWING = ("prompt_tokens", "cached_tokens", "wall_seconds", "seconds")
"""Continued along a straight line beyond the recorded trials, since histories grow; others by their mean."""
LEAST_FOR_A_LINE = 5
LONGEST = 1_000_000
"""Trials of one run beyond which no estimate is made."""
PAUSE_SECONDS = 5.0
"""A trial that took so much longer than its ask and evaluation was interrupted."""


@dataclass(frozen=True, slots=True)
class Course:
    """Means over recorded runs.

    Attributes:
        trials: Quantity -> mean per trial by index, shape (longest run,); NaN where it was not measured.
        overhead_seconds: Mean time of a run outside its trials.
        runs: Number of runs.
    """

    trials: Mapping[str, Floats]
    overhead_seconds: float
    runs: int

    @property
    def length(self) -> int:
        """Number of recorded trials of the longest run."""
        return len(self.trials["calls"])

    def upto(self, length: int) -> dict[str, Floats]:
        """Quantity -> mean per trial, shape (length,)."""
        return {name: _continued(values, length, name in GROWING) for name, values in self.trials.items()}


@dataclass(frozen=True, slots=True)
class Need:
    """What one run takes; None where it is not known.

    Attributes:
        trials: Number of trials.
        quantities: Quantity -> sum over the trials.
        seconds: Time from its start to its end.
        is_extended: Whether it is longer than what was recorded.
    """

    trials: float | None
    quantities: Mapping[str, float | None]
    seconds: float | None
    is_extended: bool = False


def course_of(runs: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]], uses_model: bool) -> Course | None:
    """The course of recorded runs: run.json and rows of each; None if none can be read.

    Args:
        runs: The runs.
        uses_model: Whether they have a language model: then the time before the first trial is that of its server.
    """
    read = [found for run, rows in runs if (found := _read(run, rows, uses_model)) is not None]
    if not read:
        return None
    longest = max(len(values["calls"]) for values, _ in read)
    trials = {}
    for name in QUANTITIES:
        table = np.full((len(read), longest), np.nan)
        for number, (values, _) in enumerate(read):
            table[number, : len(values[name])] = values[name]
        counts = np.maximum(1, np.count_nonzero(~np.isnan(table), axis=0))
        missing = np.isnan(table).all(axis=0)
        trials[name] = np.where(missing, np.nan, np.nansum(table, axis=0) / counts)
    return Course(trials, float(np.mean([overhead for _, overhead in read])), len(read))


def need(course: Course | None, budget: Budget, before: int, uses_model: bool) -> Need:
    """What is left of a run with this budget after ``before`` trials on disk."""
    if course is None:
        exact = budget.proposals if _counts_proposals_alone(budget) else None
        none = None if uses_model else 0.0
        known = dict.fromkeys(("calls", "prompt_tokens", "cached_tokens", "completion_tokens"), none)
        return Need(None if exact is None else max(0, exact - before), known, None)
    length = _length(course, budget)
    if length is None:
        return Need(None, {}, None)
    left = {name: values[before:] for name, values in course.upto(length).items()}
    sums = {name: _sum(values) for name, values in left.items()}
    wall = sums["wall_seconds"]
    seconds = None if wall is None else wall + course.overhead_seconds
    return Need(max(0, length - before), sums, seconds, length > course.length)


def _counts_proposals_alone(budget: Budget) -> bool:
    return budget.evaluations is None and budget.tokens is None and budget.seconds is None


def _length(course: Course, budget: Budget) -> int | None:
    """Number of trials at which the budget is used up; None if that is not to be foreseen."""
    if budget.proposals is not None and _counts_proposals_alone(budget):
        return budget.proposals
    length = min(LONGEST, max(course.length, budget.trials or 0))
    while True:
        found = course.upto(length)
        spent = {
            "proposals": np.arange(1, length + 1, dtype=np.float64),
            "evaluations": np.cumsum(found["evaluations"]),
            "tokens": np.cumsum(found["prompt_tokens"] + found["completion_tokens"]),
            "seconds": np.cumsum(found["seconds"]),
        }
        ends = []
        for name, values in spent.items():
            if (limit := getattr(budget, name)) is not None and len(reached := np.flatnonzero(values >= limit - 1e-9)):
                ends.append(int(reached[0]) + 1)
        if ends:
            return min(ends)
        if length >= LONGEST or all(np.isnan(values[-1]) for values in spent.values()):
            return None
        length = min(LONGEST, 4 * length)


def _continued(values: Floats, length: int, grows: bool) -> Floats:
    """The values, continued to this length."""
    if length <= len(values):
        return values[:length]
    mean, slope = float(np.mean(values)), 0.0
    if grows and len(values) >= LEAST_FOR_A_LINE:
        slope = max(0.0, float(np.polyfit(np.arange(len(values)), values, 1)[0])) if not np.isnan(mean) else 0.0
    center = (len(values) - 1) / 2
    return np.concatenate([values, mean + slope * (np.arange(len(values), length) - center)])


def _sum(values: Floats) -> float | None:
    total = float(values.sum())
    return None if np.isnan(total) else total


def _read(
    run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], uses_model: bool
) -> tuple[dict[str, list[float]], float] | None:
    """Quantity -> values by trial, and the seconds outside trials, of one run; None if a row lacks one."""
    try:
        found = {name: [_value(name, row) for row in rows] for name in QUANTITIES[:-1]}
        starts = [datetime.fromisoformat(row["started_at"]).timestamp() for row in rows]
        own = [row["ask_seconds"] + (row["evaluation_seconds"] or 0.0) for row in rows]
        end = datetime.fromisoformat(run["finished_at"]).timestamp()
        begin = starts[0] if uses_model else datetime.fromisoformat(run["started_at"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return None
    after = min(max(0.0, end - starts[-1]), own[-1] + PAUSE_SECONDS)
    last = min(after, own[-1])
    overhead = min(max(0.0, starts[0] - begin), PAUSE_SECONDS) + after - last
    return found | {"wall_seconds": [*_wall(starts, own), last]}, overhead


def _wall(starts: Sequence[float], own: Sequence[float]) -> Iterator[float]:
    """Seconds from each trial's start to the next one's; a pause between two commands is left out."""
    for start, then, seconds in zip(starts, starts[1:], own, strict=False):
        passed = max(0.0, then - start)
        yield passed if passed <= seconds + PAUSE_SECONDS else seconds


def _value(name: str, row: Mapping[str, Any]) -> float:
    if name == "evaluations":
        return float(row["executed"] is not None)
    if name == "seconds":
        return float(row["ask_seconds"]) + float(row["evaluation_seconds"] or 0.0)
    value = row["usage"][name]
    return float("nan") if value is None else float(value)
