"""One line per command in ``runs/<experiment>/sweeps.jsonl``: what the server and the machine counted meanwhile."""

from __future__ import annotations

import atexit
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from harness.clock import now
from harness.errors import DiskError, RunError
from harness.jsonl import Appender
from harness.masking import masked, without_secrets
from harness.names import as_written, is_experiment
from harness.override_keys import as_typed
from harness.record import read_record
from harness.run_files import run_files

FILE = "sweeps.jsonl"
SKEW_SECONDS = 3600.0
"""A run.json that was last written so long before the command began is not looked into."""


class Meter(Protocol):
    """Something that is read when a command starts and when it ends. It covers this host, whoever uses it."""

    def start(self, config: Mapping[str, Any]) -> None:
        """The first reading; ``config`` is the composed configuration."""
        ...

    def stop(self, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
        """What was counted since; ``runs`` are the run.json of the runs that were worked on."""
        ...


class SweepRecord(Callback):
    """Hydra's callback around a job or a multirun. Nothing it does can fail the runs.

    A command that fails or is interrupted is recorded too, one that is killed is not. Nothing is written for a command
    that found all of its runs complete, or that sent them all to other hosts: meters cover this one alone, ``runs`` are
    those that were worked on here. Two commands that work on one experiment at a time list each other's runs.

    Args:
        meters: By name: each fills the line's field of this name.
    """

    def __init__(self, meters: Mapping[str, Meter]) -> None:
        self._meters = dict(meters)
        self._process: int | None = None
        self._line: dict[str, Any] = {}

    def __reduce__(self) -> tuple[type[Callback], tuple[()]]:
        """A worker's copy does nothing: the command is metered where it was given."""
        return Callback, ()

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Read every meter a first time."""
        try:
            name = as_written(config.get("name"))
        except OmegaConfBaseException:  # it refers to what is not there, which the run itself says
            return
        if not is_experiment(name):  # nothing runs under it, and nothing may be written there
            return
        self._process, self._folder = os.getpid(), Path.cwd() / "runs" / str(name)
        self._clock, started_at = time.perf_counter(), now()
        self._line = {
            "started_at": started_at,
            "finished_at": None,
            "seconds": None,
            "host": socket.gethostname(),
            "overrides": overrides_told(config),
            "runs": [],
            "elsewhere": [],
        }
        for field, meter in self._meters.items():
            self._line[field] = _safely(meter.start, config)
        atexit.register(self.close)

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write the line."""
        self.close()

    on_multirun_start = on_run_start
    on_multirun_end = on_run_end

    def close(self) -> None:
        """Read every meter a last time and write the line, if a run was worked on; the second time does nothing."""
        if self._process != os.getpid():  # closed, or a child that was forked off
            return
        self._process = None
        atexit.unregister(self.close)
        worked_on = runs_since(self._folder, self._line["started_at"])
        here = {name: run for name, run in worked_on.items() if run.get("host") == self._line["host"]}
        self._line |= {
            "finished_at": now(),
            "seconds": round(time.perf_counter() - self._clock, 3),
            "runs": list(here),
            "elsewhere": [name for name in worked_on if name not in here],
        }
        for name, meter in self._meters.items():  # also where nothing is written: what they hold is let go
            self._line[name] = self._line[name] or _safely(meter.stop, list(here.values()))
        if here:
            self._write(all(run.get("status") == "complete" for run in here.values()))

    def _write(self, complete: bool) -> None:
        try:
            log = Appender(self._folder / FILE)
            log.write(self._line)
            log.close()
        except DiskError as error:
            if complete:  # else a run has said what is wrong
                reason = str(error).partition(";")[0]
                sys.stderr.write(f"{reason}; what was counted meanwhile is lost, the runs are complete without it.\n")


def runs_since(folder: Path, started_at: str) -> dict[str, dict[str, Any]]:
    """Id (folder below the experiment's) -> run.json of every run that was begun, gone on with or ended since."""
    start = datetime.fromisoformat(started_at).timestamp()
    found = {}
    for path in run_files(folder):
        try:
            written = path.stat().st_mtime
            if written < start - SKEW_SECONDS:
                continue
            run = read_record(path, oldest=1)
        except (OSError, RunError):
            continue
        times = [run.get("started_at") or "", run.get("finished_at") or ""]
        # One that goes on, or was ended from outside, may say neither: then its file's own time has to do.
        if max(times) >= started_at or (run.get("finished_at") is None and written >= start):
            found[path.parent.relative_to(folder).as_posix()] = run
    return found


def overrides_told(config: DictConfig) -> list[str]:
    """The command line's overrides, Hydra's own last, without what looks like a secret."""
    overrides = [*as_typed(config.hydra), *as_typed(config.hydra, "hydra")]
    hidden = [masked({text.partition("=")[0]: text.partition("=")[2]}) for text in overrides]
    return [f"{key}={value}" for pair in hidden for key, value in pair.items()]


def _safely(read: Callable[[Any], dict[str, Any] | None], argument: Any) -> dict[str, Any] | None:
    """What a meter says, or why it says nothing."""
    try:
        return read(argument)
    except Exception as error:
        return {"reason": without_secrets(f"{type(error).__name__}: {error}")}
