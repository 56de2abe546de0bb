"""Live evaluations, kept in one SQLite file that parallel jobs share: a grid never trains the same model twice.

Only successes are kept: what failed may succeed on a larger machine or with more time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from harness.cache import cache_folder
from harness.errors import SettingError

Kept = tuple[dict[str, float], float]
"""The measures as reported, and how many seconds the evaluation took when it was made."""

_TABLE = "CREATE TABLE IF NOT EXISTS evaluations (key TEXT PRIMARY KEY, measures TEXT NOT NULL, seconds REAL NOT NULL)"
_BUSY_SECONDS = 60
_STRIPES = 4096  # lock files; two keys that share one wait for each other, which costs time and nothing else


class EvaluationCache:
    """One database.

    Args:
        where: True for ``$XDG_CACHE_HOME/hyperbole/evaluations.sqlite``, a path for another file, False for none.

    Raises:
        SettingError: The file cannot be used.
    """

    def __init__(self, where: bool | str) -> None:
        self.path = None if where is False else _path(where)
        self._has_failed = False
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as database:
                database.execute("PRAGMA journal_mode=WAL")
                database.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise SettingError(
                f"The evaluation cache {self.path} cannot be used ({error}); name another file with benchmark.cache, "
                "or switch it off with benchmark.cache=false."
            ) from None

    @contextlib.contextmanager
    def claim(self, key: str) -> Iterator[Kept | None]:
        """What is kept under a key; where nothing is, other processes that claim it wait until this one is done."""
        if self.path is None:
            yield None
            return
        with contextlib.ExitStack() as held:
            kept = None
            try:
                kept = self.find(key)
                if kept is None:
                    held.enter_context(FileLock(self._lock(key)))  # the kernel frees it however a process ends
                    kept = self.find(key)
            except (OSError, sqlite3.Error) as error:
                self._go_on_without(error)
            yield kept

    def find(self, key: str) -> Kept | None:
        """What is kept under a key, or None."""
        with self._open() as database:
            row = database.execute("SELECT measures, seconds FROM evaluations WHERE key = ?", (key,)).fetchone()
        return None if row is None else (json.loads(row[0]), row[1])

    def keep(self, key: str, measures: dict[str, float], seconds: float) -> None:
        """Keep a success for good."""
        if self.path is None:
            return
        row = (key, json.dumps(measures), seconds)
        try:
            with self._open() as database:
                database.execute("INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?)", row)
        except (OSError, sqlite3.Error) as error:
            self._go_on_without(error)

    def _go_on_without(self, error: Exception) -> None:
        """A cache that fails costs time, never a trial: it is said once."""
        if not self._has_failed:
            self._has_failed = True
            told = f"The evaluation cache {self.path} cannot be used ({error}); evaluations are made and not kept.\n"
            sys.stderr.write(told)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one statement: none is shared by threads, or by a process and its fork."""
        assert self.path is not None
        with contextlib.closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as database, database:
            yield database

    def _lock(self, key: str) -> Path:
        assert self.path is not None
        folder = self.path.with_name(f"{self.path.name}.locks")
        folder.mkdir(exist_ok=True)
        stripe = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % _STRIPES
        return folder / f"{stripe:04d}"


def _path(where: bool | str) -> Path:
    return Path(where).expanduser() if isinstance(where, str) else cache_folder() / "evaluations.sqlite"
