"""The display of a sweep: one line that is redrawn on a terminal, else a line every so often."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable

from harness.console import ERASE, is_terminal
from harness.standing import Standing

REDRAW_SECONDS = 0.5
BAR_WIDTH = 12
LINE_SECONDS = 30
"""Time between two lines where standard error is not a terminal."""


class SweepDisplay:
    """Shows where a sweep stands, on standard error, in a thread of its own.

    Lines of the sweep's runs, which their processes write, erase the redrawn one and end with a new line.

    Args:
        label: Name of the experiment.
        standing: What is shown.
        catch_up: Reads the news into it.
        is_drawn: Whether the sweep has a line on a terminal; runs one after the other have their own.
    """

    def __init__(self, label: str, standing: Standing, catch_up: Callable[[], None], is_drawn: bool) -> None:
        self._label, self._standing, self._catch_up = label, standing, catch_up
        self._ending = threading.Event()
        target = self._print if not is_terminal(sys.stderr) else self._draw if is_drawn else None
        self._thread = target and threading.Thread(target=target, name="sweep-progress", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        if self._thread is not None:
            self._thread.start()

    def stop(self) -> None:
        """Erase the line; the thread has ended afterwards."""
        self._ending.set()
        if self._thread is not None and self._thread.ident is not None:
            self._thread.join()

    def _draw(self) -> None:
        line = _Line(self._label, self._standing)
        while not self._ending.wait(REDRAW_SECONDS):
            self._catch_up()
            self._write(f"{ERASE}{line.text(time.monotonic())}")
        self._write(ERASE)

    def _print(self) -> None:
        while not self._ending.wait(LINE_SECONDS):
            self._catch_up()
            self._write(f"{self._label}: {self._standing.text(time.monotonic())}\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a closed stream must not end the sweep
            sys.stderr.write(text)
            sys.stderr.flush()


class _Line:
    """The line as rich renders it, at most as wide as the terminal."""

    def __init__(self, label: str, standing: Standing) -> None:
        from rich.console import Console

        self._label, self._standing = label, standing
        self._console = Console(stderr=True)

    def text(self, now: float) -> str:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        label, told = Text(f"{self._label}:"), Text(self._standing.text(now))
        row = Table.grid(padding=(0, 1))
        row.add_column(no_wrap=True)
        if len(label) + BAR_WIDTH + len(told) + 2 < self._console.width:
            row.add_row(label, ProgressBar(self._standing.total, self._standing.ended, width=BAR_WIDTH), told)
        else:
            row.add_row(label, told)
        with self._console.capture() as captured:
            self._console.print(row, end="")
        return captured.get().rstrip("\n")
