"""A worker on a node of a Ray cluster: it does the runs that it is sent, and ends with the command that started it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.engine.sign import is_shown
from harness.engine.worker import Result, result_of
from harness.errors import RunError
from harness.job import Job

LOOK_SECONDS = 0.5
"""How often a worker looks whether its command goes on."""
INTERRUPTED = 130


class RayWorker:
    """A Ray actor. A single run is done in the main thread, so that it can be interrupted; several have a thread each.

    Args:
        sign: A file in the runs' folder that exists as long as the command goes on.
        folder: The command's working directory.
        path: Python's path of the command, for plug-ins.
        environment: Variables of the command that its workers need, none of them secret.
        threads: Number of runs at a time.
    """

    def __init__(
        self, sign: Path, folder: Path, path: Sequence[str], environment: Mapping[str, str], threads: int
    ) -> None:
        os.environ.update(environment)
        sys.path += [each for each in path if each not in sys.path]
        self._sign, self._threads = sign, threads
        self._is_at_home = sign.exists()
        if self._is_at_home:
            os.chdir(folder)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # Ray blocks it
            threading.Thread(target=self._end_with_command, name="command-watch", daemon=True).start()

    def __repr__(self) -> str:
        return socket.gethostname()  # Ray puts it before the lines that a worker prints

    def ready(self) -> bool:
        """Whether this node sees the runs' folder, as that of the command."""
        return self._is_at_home

    def do(self, number: int, job: Job) -> Result:
        """Do one run."""
        try:
            return result_of(number, job)
        except KeyboardInterrupt:
            return Result(number, error=RunError(f"{job.place}: interrupted; the same command resumes the run."))

    def _end_with_command(self) -> None:
        """Interrupt the run when the command is interrupted; runs in threads end like killed ones."""
        while is_shown(self._sign):
            time.sleep(LOOK_SECONDS)
        if self._threads > 1:
            os._exit(INTERRUPTED)
        os.kill(os.getpid(), signal.SIGINT)
