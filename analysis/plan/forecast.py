"""What the runs that a command asks for will take: each figure from the nearest recorded runs, or unknown."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis.plan.course import Course, Need, course_of, need
from analysis.plan.flight import Flight, flight_of
from analysis.plan.recorded import SAMPLE, Kind, kinds_in, model_of, nearest, unlike
from analysis.stats.prices import HourPrice, ModelPrice, Prices, TokenPrice
from harness.budget import Budget
from harness.build import build_budget
from harness.engine.asked import Asked
from harness.job import Job

Range = tuple[float, float]
COUNTED = ("calls", "prompt_tokens", "completion_tokens")


@dataclass(slots=True)
class Group:
    """Planned runs of one method on one task.

    Attributes:
        task: ``<benchmark>.<task>``.
        method: The method's folder name.
        model: Its language model as the server names it, or None.
        source: The recorded runs that the figures are from; None if there are none.
        notes: In what these differ from the planned ones.
        runs: Number of runs that are left.
        totals: Quantity -> sum over the runs that are left; None where it is not known.
        elapsed: Shortest and longest time that passes for them, in seconds; None if not known.
        longest_seconds: Time of the longest run alone; None if not known.
        price: The model's price, or None.
    """

    task: str
    method: str
    model: str | None
    source: Kind | None
    notes: tuple[str, ...]
    runs: int = 0
    totals: dict[str, float | None] = field(default_factory=dict)
    elapsed: Range | None = (0.0, 0.0)
    longest_seconds: float | None = 0.0
    price: TokenPrice | HourPrice | None = None

    def add(self, need_: Need, elapsed: Range | None) -> None:
        """Add one run."""
        self.runs += 1
        for name in ("trials", *COUNTED, "cached_tokens"):
            known = need_.trials if name == "trials" else need_.quantities.get(name)
            before = self.totals.get(name, 0.0)
            self.totals[name] = None if known is None or before is None else before + known
        both = None if elapsed is None or self.elapsed is None else (self.elapsed, elapsed)
        self.elapsed = both and (both[0][0] + both[1][0], both[0][1] + both[1][1])
        longest = need_.seconds if elapsed is not None else None
        self.longest_seconds = None if longest is None else max(self.longest_seconds or 0.0, longest)

    @property
    def recorded(self) -> int:
        """Number of recorded runs that the figures are from."""
        return 0 if self.source is None else min(SAMPLE, len(self.source.folders))

    @property
    def is_same(self) -> bool:
        """Whether the recorded runs are of the same method on the same task."""
        info = None if self.source is None else self.source.info
        return info is not None and (f"{info['benchmark']}.{info['task']}", info["method"]) == (self.task, self.method)

    @property
    def money(self) -> Range | None:
        """Shortest and longest estimate of what the model costs; None if a price or a figure is not known."""
        if isinstance(self.price, HourPrice):
            per_second = self.price.price / 3600
            return self.elapsed and (self.elapsed[0] * per_second, self.elapsed[1] * per_second)
        if self.price is None:
            return None
        kinds = ("prompt_tokens", "cached_tokens", "completion_tokens")
        amount = float(self.price.amounts(*(np.array(self.totals.get(kind), dtype=np.float64) for kind in kinds)))
        return None if np.isnan(amount) else (amount, amount)


class Recorder:
    """Finds for each planned run what was recorded, and reads it once.

    Args:
        folders: Folders of experiments.
        asked: What is planned.
    """

    def __init__(self, folders: Iterable[Path], asked: Asked) -> None:
        self._kinds, self._host = kinds_in(folders), socket.gethostname()
        self._read: dict[tuple[Path, ...], tuple[Course | None, Flight]] = {}
        self._needs: dict[tuple[str, str, int], tuple[Need, Range | None]] = {}
        runs = [job for job, _ in asked.resumed] + asked.missing
        with_model = sum(job.identity["llm"] is not None for job in runs)
        self._slots = {
            True: _slots(asked.with_model, with_model),
            False: _slots(asked.classical, len(runs) - with_model),
        }

    def group(self, job: Job, prices: Prices) -> Group:
        """An empty group for a job and those like it."""
        kind, model = nearest(job.identity, self._kinds, self._host), model_of(job.identity)
        price = prices.models.get(model or "", ModelPrice(None, None)).price
        notes = () if kind is None else tuple(self._differences(kind, job))
        task = f"{job.identity['benchmark']}.{job.identity['task']}"
        return Group(task, str(job.identity["method"]), model, kind, notes, price=price)

    def add(self, group: Group, job: Job, before: int) -> None:
        """Add a run to its group; runs of a group differ in their seed and in what is on disk alone."""
        key = group.task, group.method, before
        if key not in self._needs:
            self._needs[key] = self._need(group, job, before)
        group.add(*self._needs[key])

    def _need(self, group: Group, job: Job, before: int) -> tuple[Need, Range | None]:
        uses_model = job.identity["llm"] is not None
        budget: Budget = build_budget(job.config)
        if group.source is None:
            return need(None, budget, before, uses_model), None
        course, flight = self._of(group.source, uses_model)
        found, slots, info = need(course, budget, before, uses_model), self._slots[uses_model], group.source.info
        if found.is_extended and course is not None:
            group.notes = (*group.notes, f"continued beyond its {course.length:,} trials")
        if model_of(info) != group.model or info["benchmark"] != job.identity["benchmark"]:
            return found, None
        return found, None if found.seconds is None or slots is None else flight.elapsed(
            found.seconds, slots, uses_model
        )

    def _of(self, kind: Kind, uses_model: bool) -> tuple[Course | None, Flight]:
        if kind.folders not in self._read:
            course = course_of(list(kind.sample()), uses_model)
            self._read[kind.folders] = course, flight_of(kind.company(), uses_model)
        return self._read[kind.folders]

    def _differences(self, kind: Kind, job: Job) -> Iterable[str]:
        info, run = kind.info, job.identity
        if model_of(info) != model_of(run):
            yield f"another model, {model_of(info)}, so the time is not known"
        if different := unlike(info, run):
            yield f"{different} other setting{'s' * (different > 1)} of the method"
        if info["benchmark"] != run["benchmark"]:
            yield f"another benchmark, {info['benchmark']}, so the time is not known"
        if info["task"] != run["task"]:
            yield f"another task, {info['task']}"
        if info.get("host") != self._host:
            yield f"another machine, {info.get('host') or 'not recorded'}"


def _slots(at_a_time: int | None, runs: int) -> int | None:
    return None if at_a_time is None else max(1, min(at_a_time, runs))


def forecast(asked: Asked, folders: Iterable[Path], prices: Prices) -> list[Group]:
    """The groups of runs that are left, in the order of the command.

    Args:
        asked: What the command asks for.
        folders: Folders of experiments, such as ``runs`` and ``results``.
        prices: The price table.
    """
    recorder, groups = Recorder(folders, asked), dict[str, Group]()
    for job, before in [*asked.resumed, *((job, 0) for job in asked.missing)]:
        place = job.place.rpartition("/")[0]
        if place not in groups:
            groups[place] = recorder.group(job, prices)
        recorder.add(groups[place], job, before)
    return list(groups.values())


def total(groups: Sequence[Group], name: str) -> tuple[float, int]:
    """Sum of a quantity over the groups where it is known, and the number of runs where it is not."""
    known = [group.totals.get(name) for group in groups]
    missing = sum(group.runs for group, value in zip(groups, known, strict=True) if value is None)
    return sum(value for value in known if value is not None), missing


def elapsed(groups: Sequence[Group], asked: Asked) -> tuple[Range, int]:
    """Shortest and longest time that passes for the groups where it is known, and the number of runs where it is not.

    Runs of classical methods go on beside those with a language model: together they take at least as long as the
    slower kind, and at most as long as both, one after the other.
    """
    kinds = []
    for uses_model in (True, False):
        own = [group for group in groups if (group.model is not None) == uses_model and group.elapsed is not None]
        low, high = (sum(group.elapsed[end] for group in own if group.elapsed is not None) for end in (0, 1))
        longest = max((group.longest_seconds or 0.0 for group in own), default=0.0)
        kinds.append((low if uses_model else max(low, longest), max(high, longest)))
    missing = sum(group.runs for group in groups if group.elapsed is None)
    (model_low, model_high), (low, high) = kinds
    one_by_one = asked.at_a_time == 1
    return (model_low + low if one_by_one else max(model_low, low), model_high + high), missing
