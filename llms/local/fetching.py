"""Progress of a download: bytes, speed and time left; a single line without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
"""Called with the number of bytes received so far."""


@contextmanager
def fetching(what: str, total_bytes: int) -> Iterator[Advance]:
    """Show a bar on stderr while the block runs.

    Args:
        what: What is downloaded.
        total_bytes: Its size.
    """
    if not sys.stderr.isatty():
        sys.stderr.write(f"Fetching {what} ({total_bytes / 1e6:,.0f} MB).\n")
        sys.stderr.flush()
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total_bytes)
        yield lambda there: progress.update(task, completed=there)
