"""How many recorded runs were in flight together, and what that means for the time of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.runs.calls import Span, most_at_once, waited_seconds

BRIDGED_SECONDS = 1.0
"""A shorter time without any run in progress belongs to the runs: workers prepare the next one."""


@dataclass(frozen=True, slots=True)
class Flight:
    """Recorded runs that were in flight together.

    Attributes:
        at_once: The largest number at a time.
        elapsed_share: Time that passed per second of a run: 1 for runs one after the other, 0.5 for two at a time.
    """

    at_once: int
    elapsed_share: float

    def elapsed(self, run_seconds: float, slots: int, uses_model: bool) -> tuple[float, float]:
        """Shortest and longest time that passes for one run when ``slots`` are in flight.

        Runs of classical methods have a core each. Runs with a language model share its server: with more of them in
        flight than were recorded, it answers between as many tokens per second as then and as many more as there are
        more runs; with fewer, between as many and as many fewer.
        """
        recorded, scaled = (run_seconds * self.elapsed_share * factor for factor in (1.0, self.at_once / slots))
        return (min(recorded, scaled), max(recorded, scaled)) if uses_model else (scaled, scaled)


def flight_of(runs: Iterable[Mapping[str, Any]], uses_model: bool) -> Flight:
    """How runs with, or without, a language model were in flight.

    Args:
        runs: run.json of the runs of an experiment that ended in one period.
        uses_model: Which of them count.
    """
    spans = [span for run in runs if (run["llm"] is not None) == uses_model and (span := _span(run)) is not None]
    seconds = sum(end - start for start, end in spans)
    if seconds <= 0.0:
        return Flight(1, 1.0)
    at_once = most_at_once(spans)
    elapsed = waited_seconds([(start, end + BRIDGED_SECONDS) for start, end in spans])
    pauses = _periods(spans) * BRIDGED_SECONDS
    return Flight(at_once, max(elapsed - pauses, seconds / at_once) / seconds)


def _periods(spans: list[Span]) -> int:
    """Number of periods without a longer pause."""
    number, until = 0, float("-inf")
    for start, end in sorted(spans):
        number += start > until + BRIDGED_SECONDS
        until = max(until, end)
    return number


def _span(run: Mapping[str, Any]) -> Span | None:
    try:
        start, end = (datetime.fromisoformat(run[key]).timestamp() for key in ("started_at", "finished_at"))
    except (KeyError, TypeError, ValueError):
        return None
    return (start, end) if end >= start else None
