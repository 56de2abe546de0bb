"""A run's language-model calls: what each cost, and when they were under way, since calls of one ask may overlap."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analysis.runs.lines import call_lines
from harness.chat import LOOPBACK
from harness.errors import RunError
from harness.trial import Usage

Span = tuple[float, float]
"""Start and end of one call in seconds, waiting between its attempts included."""


@dataclass(frozen=True, slots=True)
class Call:
    """One line of ``calls.jsonl``, without its prompt.

    Attributes:
        id: Its number; None for a call that was given up, which belongs to no trial.
        reply: As it came; None likewise.
        started_at: As written.
        start: The same in seconds since 1970.
        seconds: Waiting between its attempts included.
        usage: What it cost, as far as replies said so.
        finish_reason: Why the reply ended, in the server's word, or None where it does not say.
        sampling: As it was asked for; empty where nobody noted it.
        error: Why it was given up, or None.
        server: Base URL, or None where nobody noted it.
        model: As the server names it, or None likewise.
        serving: How the server computes, as JSON, or None likewise.
    """

    id: int | None
    reply: str | None
    started_at: str
    start: float
    seconds: float
    usage: Usage
    finish_reason: str | None
    sampling: Mapping[str, Any] = field(hash=False)
    error: str | None
    server: str | None
    model: str | None
    serving: str | None

    @property
    def answered(self) -> bool:
        """Whether it holds a reply."""
        return self.reply is not None

    @property
    def is_local(self) -> bool:
        """Whether it was answered on the machine that asked."""
        return urlsplit(self.server or "").hostname in LOOPBACK


def read_calls(path: Path) -> tuple[Call, ...]:
    """Every call of a run, in the order of the file; none where there is no file.

    Raises:
        RunError: A line does not say when its call began, how long it took or what it cost.
    """
    try:
        state = path.stat()
    except FileNotFoundError:
        return ()
    return _read(path, state.st_mtime_ns, state.st_size)


@cache  # several tables look at the calls, and their prompts are long
def _read(path: Path, mtime_ns: int, size: int) -> tuple[Call, ...]:
    try:
        return tuple(
            Call(
                id=row["id"],
                reply=row.get("reply"),
                started_at=row["started_at"],
                start=datetime.fromisoformat(row["started_at"]).timestamp(),
                seconds=float(row["seconds"]),
                usage=Usage.read(row["usage"]),
                finish_reason=row.get("finish_reason"),
                sampling=row.get("sampling") or {},
                error=row.get("error"),
                server=row.get("server"),
                model=row.get("model"),
                serving=json.dumps(row["serving"], sort_keys=True) if row.get("serving") else None,
            )
            for row in call_lines(path)
        )
    except (KeyError, TypeError, ValueError):
        raise RunError(f"A call in {path} does not say when it was made; move the run's folder away.") from None


def read_spans(path: Path) -> list[Span]:
    """The span of every call of a run that was answered, in the order of the file; none where there is no file.

    Raises:
        RunError: As ``read_calls``.
    """
    return [(call.start, call.start + call.seconds) for call in read_calls(path) if call.answered]


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
