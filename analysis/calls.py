"""When a run's language-model calls were under way: from ``calls.jsonl``, since calls of one ask may overlap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from harness.errors import RunError
from harness.jsonl import read_rows

Span = tuple[float, float]
"""Start and end of one call in seconds, waiting between its attempts included."""


def read_spans(path: Path) -> list[Span]:
    """The span of every call of a run, in the order of the file; none where there is no file.

    Raises:
        RunError: A line does not say when its call began or how long it took.
    """
    spans = []
    for row in read_rows(path):
        try:
            start = datetime.fromisoformat(row["started_at"]).timestamp()
            spans.append((start, start + float(row["seconds"])))
        except (KeyError, TypeError, ValueError):
            raise RunError(f"A call in {path} does not say when it was made; move the run's folder away.") from None
    return spans


def waited_seconds(spans: Sequence[Span]) -> float:
    """Seconds in which at least one call was under way: the length of the spans' union."""
    waited, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        waited += max(0.0, end - max(start, until))
        until = max(until, end)
    return waited


def most_at_once(spans: Sequence[Span]) -> int:
    """The largest number of calls under way at one moment; one that ends as another begins does not overlap it."""
    steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = under_way = 0
    for _, step in steps:
        under_way += step
        most = max(most, under_way)
    return most
