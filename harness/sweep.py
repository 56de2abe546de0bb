"""What surrounds a sweep: the command line wins over the experiment, and one line says what came of it."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict, read_write

from harness.errors import RunError, SettingError
from harness.names import check_experiment
from harness.progress import say
from harness.record import read_record


class Sweep(Callback):
    """Hydra's callback around a multirun."""

    def __init__(self) -> None:
        self._started = 0.0

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Drop what an experiment sweeps over and the command line sets: Hydra would run the product of the two."""
        try:
            check_experiment(config.name)  # before Hydra makes a folder of it
        except SettingError as error:  # Hydra turns a callback's exceptions into warnings
            sys.stderr.write(f"{error}\n")
            raise SystemExit(2) from None
        self._started = time.time()
        atexit.register(_remove_empty, Path(str(config.hydra.sweep.dir)), os.getpid())
        swept = config.hydra.sweeper.params
        with read_write(config), open_dict(config):
            for override in config.hydra.overrides.task:
                if swept and (key := override.partition("=")[0]) in swept:
                    del swept[key]

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Say how many of the experiment's runs are complete."""
        folder = Path("runs") / str(config.name)
        counts: dict[str, int] = {}
        for path in folder.glob("*/*/*/run.json"):
            status = _status(path)
            counts[status] = counts.get(status, 0) + 1
        states = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        say(f"{folder}: {states or 'no runs'}; this sweep took {time.time() - self._started:.0f} s")


def _remove_empty(hydras: Path, process: int) -> None:
    """Of a sweep whose runs were all refused nothing stays, Hydra's own folder included."""
    experiment = hydras.parent
    with contextlib.suppress(OSError):  # something else is there: another sweep's runs, say
        if os.getpid() == process and [path.name for path in experiment.iterdir()] == [hydras.name]:
            shutil.rmtree(hydras)
            experiment.rmdir()
            experiment.parent.rmdir()


def _status(path: Path) -> str:
    try:
        return str(read_record(path)["status"])
    except (OSError, RunError):
        return "damaged"
