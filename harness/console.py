"""What is printed while runs go on, and about results: rates and times as texts, and the two streams.

Progress goes to standard error, and only to a terminal; results go to standard output.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

ERASE = "\r\x1b[K"
"""Erases the line of a terminal."""


def invalid_share(invalid: int, invented: int, trials: int) -> str:
    """Both rates as a text, the hallucination rate if anything is invalid: ``3 invalid (15 %), 1 invented (5 %)``."""
    shown = [(invalid, "invalid"), (invented, "invented")] if invalid else [(invalid, "invalid")]
    return ", ".join(
        f"{count} {what}" + (f" ({100 * count / trials:.3g} %)" if trials else "") for count, what in shown
    )


def pace(done: int, seconds: float, done_share: float, left_share: float) -> str:
    """Pace and estimated time left, such as ``2.5/s, 40 s left``."""
    if done <= 0 or seconds <= 0.0:
        return "0/s, ? left"
    rate = done / seconds
    speed = f"{rate:.3g}/s" if rate >= 0.1 else f"{60 * rate:.2g}/min"
    left = "?" if done_share <= 0 else duration(seconds * left_share / done_share)
    return f"{speed}, {left} left"


def duration(seconds: float) -> str:
    """A duration in seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal; False if it is closed or missing."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def say(text: str) -> None:
    """Print one line to standard error if it is a terminal."""
    if is_terminal(sys.stderr):
        sys.stderr.write(f"{ERASE}{text}\n")
        sys.stderr.flush()


def tell(text: str) -> None:
    """Print a result to standard output; a closed reader or a full disk fails no run."""
    try:
        print(text, flush=True)
    except OSError:
        with contextlib.suppress(OSError, ValueError):  # the rest of the buffer must not fail the exit either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
