"""Process-wide state of W&B: environment variables and its service process."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path


class WandbProcess:
    """Shared by the W&B runs that overlap in this process.

    The last run to leave stops the service, so that neither a process nor a variable (WANDB_SERVICE, which children
    would inherit) outlives the runs: workers of joblib skip exit hooks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visitors = 0
        self._saved: dict[str, str | None] = {}
        self._scratch = Path()

    @contextmanager
    def visit(self, directory: Path, mode: str) -> Iterator[None]:
        """Within the block W&B is silent and writes below ``directory`` only."""
        with self._lock:
            if self._visitors == 0:
                self._enter(directory, mode)
            self._visitors += 1
        try:
            yield
        finally:
            with self._lock:
                self._visitors -= 1
                if self._visitors == 0:
                    self._leave()

    def _enter(self, directory: Path, mode: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(tempfile.mkdtemp(prefix=".scratch-", dir=directory))
        wanted: dict[str, str | None] = {
            f"WANDB_{kind}_DIR": str(self._scratch / kind.lower()) for kind in ("CACHE", "DATA", "ARTIFACT")
        }
        wanted |= {"WANDB_MODE": mode, "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "WANDB_SERVICE": None}
        self._saved = {name: os.environ.get(name) for name in wanted}
        _set_environment(wanted)

    def _leave(self) -> None:
        with suppress(Exception, SystemExit):  # W&B exits with its service's code
            sys.modules["wandb"].teardown()
        _set_environment(self._saved)
        shutil.rmtree(self._scratch, ignore_errors=True)
        for logs in self._scratch.parent.glob("*run-*/logs"):
            if not (link := logs / "debug-core.log").exists():  # it pointed into the temporary folder
                link.unlink(missing_ok=True)


def _set_environment(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


PROCESS = WandbProcess()
