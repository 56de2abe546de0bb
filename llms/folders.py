"""The cache folder for files that outlive a run, and lock files for it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.files import usable


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path``; wait while another process holds it. A process that dies releases it."""
    with usable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    with file:
        os.set_inheritable(file.fileno(), False)
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
