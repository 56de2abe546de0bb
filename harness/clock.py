"""The time format on disk."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The time now: UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
