"""A cache of live evaluations in one SQLite file, which parallel jobs share: no model is trained twice.

Only successes are kept: a failed evaluation may succeed on a larger machine or with more time.
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

from harness.cache import NONE, USER, cache_folder
from harness.errors import SettingError

Kept = tuple[dict[str, float], float]
"""The measures as reported, and the seconds of the original evaluation."""

_TABLE = "CREATE TABLE IF NOT EXISTS evaluations (key TEXT PRIMARY KEY, measures TEXT NOT NULL, seconds REAL NOT NULL)"
_BUSY_SECONDS = 60
_STRIPES = 4096  # number of lock files; keys that share one wait for each other


class EvaluationCache:
    """One database.

    Args:
        where: ``user`` for ``$XDG_CACHE_HOME/hyperbole/evaluations.sqlite``, ``none`` for none, or the path of another.

    Raises:
        SettingError: The file cannot be used.
    """

    def __init__(self, where: str) -> None:
        if not isinstance(where, str):  # a plug-in's own default
            raise SettingError(f"benchmark.cache is {where!r}; give {USER}, {NONE} or the path of a file.")
        self.path = None if where == NONE else _path(where)
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
                f"The evaluation cache {self.path} cannot be used ({error}); set another file with benchmark.cache, "
                "or switch it off with benchmark.cache=none."
            ) from None

    @contextlib.contextmanager
    def claim(self, key: str) -> Iterator[Kept | None]:
        """The entry of a key. If there is none, other processes that claim the key wait for this one."""
        if self.path is None:
            yield None
            return
        with contextlib.ExitStack() as held:
            kept = None
            try:
                kept = self.find(key)
                if kept is None:
                    held.enter_context(FileLock(self._lock(key)))  # the kernel releases it when the process ends
                    kept = self.find(key)
            except (OSError, sqlite3.Error) as error:
                self._go_on_without(error)
            yield kept

    def find(self, key: str) -> Kept | None:
        """The entry of a key, or None."""
        with self._open() as database:
            row = database.execute("SELECT measures, seconds FROM evaluations WHERE key = ?", (key,)).fetchone()
        return None if row is None else (json.loads(row[0]), row[1])

    def keep(self, key: str, measures: dict[str, float], seconds: float) -> None:
        """Store a successful evaluation."""
        if self.path is None:
            return
        row = (key, json.dumps(measures), seconds)
        try:
            with self._open() as database:
                database.execute("INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?)", row)
        except (OSError, sqlite3.Error) as error:
            self._go_on_without(error)

    def _go_on_without(self, error: Exception) -> None:
        """Continue without the cache and print one warning: a cache failure must not fail a trial."""
        if not self._has_failed:
            self._has_failed = True
            told = f"The evaluation cache {self.path} cannot be used ({error}); evaluations are not cached.\n"
            sys.stderr.write(told)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one statement; connections are not shared by threads or forked processes."""
        assert self.path is not None
        with contextlib.closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as database, database:
            yield database

    def _lock(self, key: str) -> Path:
        assert self.path is not None
        folder = self.path.with_name(f"{self.path.name}.locks")
        folder.mkdir(exist_ok=True)
        stripe = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % _STRIPES
        return folder / f"{stripe:04d}"


def _path(where: str) -> Path:
    return cache_folder() / "evaluations.sqlite" if where == USER else Path(where).expanduser()
