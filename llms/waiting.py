"""A progress line for long waits."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show ``what`` and the elapsed seconds on one line of stderr; nothing if stderr is not a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    start, done = time.monotonic(), threading.Event()
    with Console(stderr=True).status(what) as status:

        def tick() -> None:
            while not done.wait(1.0):
                status.update(f"{what} ({time.monotonic() - start:.0f} s)")

        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        try:
            yield
        finally:
            done.set()
            ticker.join()
