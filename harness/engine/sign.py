"""A file that exists as long as a command goes on, by which its workers on other machines know."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from harness.engine.plan import FOLDER
from harness.files import replace_file
from harness.holder import Holder

SUFFIX = ".sign"
LASTING = ".lasting"
"""Suffix of the sign of workers that go on when their command is killed: a batch system has them."""


@contextlib.contextmanager
def shown(experiment: Path, suffix: str = SUFFIX) -> Iterator[Path]:
    """Put a sign up beside the runs, and take it down at the end, with the queue beside it.

    Those of commands that were killed are removed, but for lasting ones.

    Args:
        experiment: The runs' folder.
        suffix: ``SUFFIX`` or ``LASTING``.

    Raises:
        DiskError: It cannot be written.
    """
    folder = experiment / FOLDER
    for left in folder.glob(f"*{SUFFIX}"):
        if (holder := Holder.read(left)) is not None and holder.is_alive is False:
            _take_down(left)
    sign = folder / f"{uuid.uuid4().hex}{suffix}"
    replace_file(sign, Holder.here().text().decode())
    try:
        yield sign
    finally:
        _take_down(sign)


def queue_beside(sign: Path) -> Path:
    """The folder of the queue whose workers look at a sign."""
    return sign.with_suffix(".queue")


def _take_down(sign: Path) -> None:
    with contextlib.suppress(OSError):
        sign.unlink(missing_ok=True)
    shutil.rmtree(queue_beside(sign), ignore_errors=True)


def is_shown(sign: Path) -> bool:
    """Whether it is still there; so it is while a network's file system cannot say."""
    try:
        sign.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True
