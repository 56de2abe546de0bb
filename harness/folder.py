"""A run's folder: run.json, trials.jsonl, and a lock against use by two processes."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from harness.class_defaults import effective_differences
from harness.errors import RunError
from harness.files import refuse_link, usable
from harness.holder import Holder
from harness.jsonl import Appender, plain, read_rows
from harness.method import comparable
from harness.record import FILE, SCHEMA, SECTIONS, read_record, write_record
from harness.values import dotted

LOCK = ".lock"
VOLATILE = frozenset({"tracker"})
"""Top-level configuration keys that may differ between a run and its resumption."""
_DECISIVE = frozenset({"name", "seed", *SECTIONS}) - VOLATILE
"""Keys that must not differ; other added keys (``+x=0``) have no effect beyond the values of these."""


class RunFolder:
    """One run on disk.

    Args:
        path: ``runs/<experiment>/<benchmark>.<task>/<method>/<seed>``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def trials(self) -> Path:
        """The log, one line per trial."""
        return self.path / "trials.jsonl"

    def read(self, oldest: int = SCHEMA) -> dict[str, Any] | None:
        """The contents of run.json, or None if there is none; see ``harness.record.read_record``."""
        try:
            return read_record(self.path / FILE, oldest)
        except FileNotFoundError:
            return None

    def write(self, run: dict[str, Any]) -> None:
        """Replace run.json atomically."""
        write_record(self.path / FILE, run)

    def rows(self) -> list[dict[str, Any]]:
        """The logged trials; a truncated last one is left out."""
        return read_rows(self.trials)

    def appender(self) -> Appender:
        """The log, opened for appending."""
        return Appender(self.trials)

    def forget(self) -> bool:
        """Remove the run.json of a run that recorded nothing; ``lock`` then removes the folder.

        Returns:
            Whether it was removed; False if a trial or a call is recorded, or the folder has other files.
        """
        files = [path for path in self.path.iterdir() if path.name != LOCK]
        if any(path.name != FILE and (path.is_dir() or path.stat().st_size) for path in files):
            return False
        for path in files:
            path.unlink()
        return True

    @contextlib.contextmanager
    def lock(self) -> Iterator[bool]:
        """Lock the run; yields False if another process holds the lock. The kernel releases it at the end of a process.

        A folder in which no run started, e.g. because of a misspelt setting, is removed afterwards.
        """
        with usable(self.path / LOCK):
            refuse_link(*[self.path, *self.path.parents][:3], self.path / LOCK)
            file = self._locked()
        if file is None:
            yield False
            return
        with file:
            try:
                _name(file, Holder.here().text())
                self._clear_drafts()
                yield True
            finally:
                _name(file, b"")
                if [entry.name for entry in self.path.iterdir()] == [LOCK]:
                    self._remove()

    def _locked(self) -> IO[bytes] | None:
        """The locked lock file; None if another process holds it."""
        path = self.path / LOCK
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                file = path.open("ab", buffering=0)
            except FileNotFoundError:  # another process has just removed the folder
                continue
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return file
            except BlockingIOError:
                file.close()
                return None
            except FileNotFoundError:
                pass
            except OSError:
                file.close()
                raise
            file.close()  # the file that was locked has been removed with its folder

    def _clear_drafts(self) -> None:
        """Remove what a process that was killed while it wrote run.json left beside it."""
        for draft in self.path.glob(f".{FILE}.*"):
            with contextlib.suppress(OSError):
                draft.unlink()

    def _remove(self) -> None:
        with contextlib.suppress(OSError):  # stops at the first parent that is not empty
            (self.path / LOCK).unlink()
            for folder in [self.path, *self.path.parents][:5]:
                folder.rmdir()


def _name(file: IO[bytes], holder: bytes) -> None:
    """Say in a lock file who holds it."""
    with contextlib.suppress(OSError):  # a full disk: the lock itself holds
        file.truncate(0)
        file.write(holder)


def refuse_if_different(run: dict[str, Any], config: dict[str, Any], path: Path) -> None:
    """Make sure that a folder's run is the requested one.

    Raises:
        RunError: Their configurations differ; the message names the first difference.
    """
    if (what := first_difference(run["config"], config)) is not None:
        raise RunError(
            f"{path} holds a run with another configuration: {what}; give the new one another name= or undo the change."
        )


def first_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """The first setting that makes two configurations different runs, as a text; None if there is none."""
    one, other = (
        {key: value for key, value in comparable(plain(side)).items() if key in _DECISIVE} for side in (old, new)
    )
    for place, before, now in effective_differences(one, other):
        return f"{dotted(place)} was {before!r} and is now {now!r}"
    return None
