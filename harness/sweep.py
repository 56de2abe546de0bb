"""The line about a whole sweep, written when it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from harness.progress import say


class SweepLine(Callback):
    """Counts what a sweep left on disk."""

    def __init__(self) -> None:
        self._started = 0.0

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Note the time."""
        self._started = time.time()

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Say how many of the experiment's runs are complete."""
        folder = Path("runs") / str(config.name)
        counts: dict[str, int] = {}
        for path in folder.glob("*/*/*/run.json"):
            status = json.loads(path.read_bytes())["status"]
            counts[status] = counts.get(status, 0) + 1
        states = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        say(f"{folder}: {states or 'no runs'}; this sweep took {time.time() - self._started:.0f} s")
