"""A run's language-model calls: their cost, and their time spans, since calls of one ask may overlap."""

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
from harness.packed import State, state_of
from harness.trial import Usage

Span = tuple[float, float]
"""Start and end of one call in seconds, including waits between attempts."""


@dataclass(frozen=True, slots=True)
class Call:
    """One line of ``calls.jsonl``, without its prompt.

    Attributes:
        id: Number of the call; None if it was given up or in flight at a kill: it belongs to no trial then.
        reply: The raw reply; None without one.
        started_at: Start as ISO 8601.
        start: Start in seconds since 1970.
        seconds: Latency, including waits between attempts; None if it was in flight at a kill.
        usage: What it cost, as reported by the replies; None if it was in flight at a kill.
        finish_reason: The server's finish reason; None if not reported.
        sampling: Requested sampling parameters; empty if not recorded.
        error: Why it has no reply, or None.
        server: Base URL; None if not recorded.
        model: The server's name of the model; None if not recorded.
        serving: How the server computes, as JSON; None if not recorded.
    """

    id: int | None
    reply: str | None
    started_at: str
    start: float
    seconds: float | None
    usage: Usage | None
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
    def tokens(self) -> int:
        """Prompt and completion tokens, as far as replies reported them."""
        return 0 if self.usage is None else self.usage.tokens

    @property
    def is_local(self) -> bool:
        """Whether the server was on the same machine."""
        return urlsplit(self.server or "").hostname in LOOPBACK


def read_calls(path: Path) -> tuple[Call, ...]:
    """Every call of a run, in the order of the file; empty without a file.

    Raises:
        RunError: A line lacks the start, duration or cost of its call.
    """
    state = state_of(path)
    return () if state is None else _read(path, state)


@cache  # several tables use the calls, and their prompts are long
def _read(path: Path, state: State) -> tuple[Call, ...]:
    try:
        return tuple(
            Call(
                id=row["id"],
                reply=row.get("reply"),
                started_at=row["started_at"],
                start=datetime.fromisoformat(row["started_at"]).timestamp(),
                seconds=None if row["seconds"] is None else float(row["seconds"]),
                usage=None if row["usage"] is None else Usage.read(row["usage"]),
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
        raise RunError(f"A call in {path} has no valid time; move the run's folder away.") from None


def read_spans(path: Path) -> list[Span]:
    """The span of every answered call of a run, in the order of the file; empty without a file.

    Raises:
        RunError: As ``read_calls``.
    """
    calls = read_calls(path)
    return [(call.start, call.start + call.seconds) for call in calls if call.answered and call.seconds is not None]


def waited_seconds(spans: Sequence[Span]) -> float:
    """Seconds with at least one call in progress: the length of the spans' union."""
    waited, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        waited += max(0.0, end - max(start, until))
        until = max(until, end)
    return waited


def most_at_once(spans: Sequence[Span]) -> int:
    """The largest number of calls in progress at one moment; spans that only touch do not overlap."""
    steps = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = under_way = 0
    for _, step in steps:
        under_way += step
        most = max(most, under_way)
    return most
