"""Client of a training process, which can be killed reliably and whose end only fails the evaluation.

A multiprocessing pool is not possible: a run may itself be a worker of a launcher's pool, whose children fail to start
("cannot find context for 'loky'" under joblib).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from typing import Any

from benchmarks.training.training_worker import BEGUN


class NoAnswerError(Exception):
    """The training process did not answer."""

    seconds = 0.0
    """Seconds since the training began."""


class OutOfTimeError(NoAnswerError):
    """The time limit was exceeded; the process was killed."""


class DiedError(NoAnswerError):
    """The process ended without an answer; the message holds the cause."""


class TrainingProcess:
    """``python -m benchmarks.training.training_worker``, started by the first job and restarted when it has ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._received = b""  # output after the last line that was read

    def ask(self, job: dict[str, Any], limit_seconds: float | None) -> dict[str, Any]:
        """Send a job and wait for its answer.

        Args:
            job: A JSON object.
            limit_seconds: Time limit of the training; None for none. The start of the process and of its trainer do
                not count, since otherwise the first configuration of a process could fail on a busy machine.

        Raises:
            OutOfTimeError: The time limit was exceeded.
            DiedError: It ended by itself.
        """
        process, clock = self._started(), None
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has just ended, which reading will report
            process.stdin.write(json.dumps(job).encode() + b"\n")
            process.stdin.flush()
        try:
            answer = self._line(process, None)
            if answer is not None and json.loads(answer) == BEGUN:
                clock = time.perf_counter()
                answer = self._line(process, limit_seconds)
        except OutOfTimeError as error:
            self.close()
            raise _timed(error, clock) from None
        except BaseException:  # an interrupted run must not leave a training process
            self.close()
            raise
        if answer is None:
            code = process.wait()
            self.close()
            raise _timed(DiedError(_cause(code)), clock)
        reply: dict[str, Any] = json.loads(answer)
        return reply

    @property
    def running(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """Kill the process; the next job starts a new one."""
        if self._process is not None:
            _end(self._process)
            self._process, self._received = None, b""

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.training.training_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # The worker needs the same import path, since a family may be outside of the repository.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), *sys.path]))},
            )
            weakref.finalize(self, _end, self._process)
        return self._process

    def _line(self, process: subprocess.Popen[bytes], limit_seconds: float | None) -> bytes | None:
        """The next line of output, or None if the process ends before."""
        assert process.stdout is not None
        deadline = None if limit_seconds is None else time.monotonic() + limit_seconds
        while b"\n" not in self._received:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([process.stdout], [], [], left)[0]:
                raise OutOfTimeError
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                return None
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return line


def _timed(error: NoAnswerError, clock: float | None) -> NoAnswerError:
    if clock is not None:
        error.seconds = time.perf_counter() - clock
    return error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
