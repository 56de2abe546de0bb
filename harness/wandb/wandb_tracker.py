"""Weights & Biases, one W&B run per run. If W&B fails, the run continues and the logs on disk are complete."""

from __future__ import annotations

import shlex
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal

from harness.errors import SettingError, unknown
from harness.masking import brief

_HEAD_START_SECONDS = 5.0


class WandbTracker:
    """Follows runs one after another, each on a background thread: the caller only puts rows into a queue.

    The thread imports W&B, which is slow, after the first trial or after 5 seconds, so
    that no first trial is delayed. It is a daemon, so that a hanging W&B cannot delay the exit.

    Args:
        project: W&B project.
        entity: W&B user or team; None for the default one.
        mode: ``offline`` writes files for ``wandb sync``; ``online`` needs WANDB_API_KEY or ``wandb login``.
        directory: Parent of the ``wandb/`` folder; None for the run's own folder.
        init_timeout_seconds: Longest wait for the start of a W&B run.
        finish_timeout_seconds: Longest wait of ``finish``.

    Attributes:
        failure: The error of W&B in the last run, or None.

    Raises:
        SettingError: An unknown mode, no project, or a time-out that is not positive.
    """

    def __init__(
        self,
        project: str = "hyperbole",
        entity: str | None = None,
        mode: Literal["offline", "online"] = "offline",
        directory: str | Path | None = None,
        init_timeout_seconds: float = 20.0,
        finish_timeout_seconds: float = 60.0,
    ) -> None:
        if mode not in ("offline", "online"):
            raise unknown("tracker.mode", mode, ("offline", "online"))
        if not project:
            raise SettingError("tracker.project is empty; give a W&B project, e.g. tracker.project=hyperbole.")
        for name, seconds in (("init", init_timeout_seconds), ("finish", finish_timeout_seconds)):
            if seconds <= 0:
                raise SettingError(f"tracker.{name}_timeout_seconds is {seconds!r}; give a positive number of seconds.")
        self._settings: dict[str, Any] = {
            "project": project,
            "entity": entity,
            "mode": mode,
            "directory": None if directory is None else Path(directory),
            "init_timeout_seconds": init_timeout_seconds,
            "finish_timeout_seconds": finish_timeout_seconds,
        }
        self._follower: _Follower | None = None

    @property
    def failure(self) -> str | None:
        """The error of W&B in the last run, or None."""
        return None if self._follower is None else self._follower.failure

    def start(self, folder: Path, run: dict[str, Any]) -> None:
        """Start to follow a run; returns at once."""
        self._follower = _Follower(self._settings, folder, run)
        try:
            self._follower.thread.start()
        except RuntimeError as error:  # the thread limit is reached
            self._follower.give_up(str(error))

    def log(self, row: dict[str, Any]) -> None:
        """Queue one row; returns at once."""
        if self._follower is not None and self._follower.failure is None:
            self._follower.rows.put(row)

    def finish(self, run: dict[str, Any]) -> None:
        """Queue the end of the run and wait for W&B, at most ``finish_timeout_seconds``."""
        if self._follower is None or self._follower.failure is not None:
            return
        self._follower.final = run
        self._follower.rows.put(None)
        seconds = self._settings["finish_timeout_seconds"]
        if not self._follower.done.wait(seconds):
            self._follower.give_up(f"it did not finish within {seconds:g} s after the run's end")


class _Follower:
    """Queue of one run's rows to W&B."""

    def __init__(self, settings: dict[str, Any], folder: Path, run: dict[str, Any]) -> None:
        self.rows: SimpleQueue[dict[str, Any] | None] = SimpleQueue()  # None marks the end
        self.final: dict[str, Any] = run
        self.done = threading.Event()
        self.failure: str | None = None
        self.thread = threading.Thread(target=self._follow, name="wandb-tracker", daemon=True)
        self._settings, self._folder, self._run = settings, folder, dict(run)
        self._waiting: list[dict[str, Any] | None] = []
        self._lock = threading.Lock()

    def give_up(self, reason: str) -> None:
        """Print the failure once."""
        with self._lock:
            if self.failure is not None or self.done.is_set():
                return
            self.failure = brief(reason) or "no reason given"
            command = f"python -m harness.publish {shlex.quote(str(self._folder))}"
            with suppress(Exception):  # stderr may be closed
                print(
                    f"W&B failed ({self.failure}); the logs on disk are complete: publish later with `{command}`.",
                    file=sys.stderr,
                    flush=True,
                )
            self.done.set()

    def _follow(self) -> None:
        try:
            self._give_head_start()
            self._send()
        except (Exception, SystemExit) as error:
            self.give_up(str(error) or type(error).__name__)
        self.done.set()

    def _give_head_start(self) -> None:
        with suppress(Empty):
            self._waiting.append(self.rows.get(timeout=_HEAD_START_SECONDS))

    def _send(self) -> None:
        from harness.wandb.wandb_session import Destination, open_session

        with open_session(Destination(**self._settings), self._folder, self._run) as session:
            try:
                while (row := self._next()) is not None:
                    session.log(row)
                session.finish(self.final)
            except (Exception, SystemExit) as error:  # reported before closing the session, which may be slow
                self.give_up(str(error) or type(error).__name__)

    def _next(self) -> dict[str, Any] | None:
        return self._waiting.pop() if self._waiting else self.rows.get()
