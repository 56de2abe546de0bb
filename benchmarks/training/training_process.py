"""A process that trains, seen from the one that asks: it can be stopped for certain, and its end is only a failure.

A pool of multiprocessing will not do here: a run may itself be a worker of one (a launcher's), whose own children fail
to start ("cannot find context for 'loky'" under joblib's).
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
    """A training without an answer."""

    seconds = 0.0
    """Since it began."""


class OutOfTimeError(NoAnswerError):
    """There was no answer in time; the process was killed."""


class DiedError(NoAnswerError):
    """The process ended without an answer; the text says of what."""


class TrainingProcess:
    """``python -m benchmarks.training.training_worker``, started when it is first asked and again when it is gone."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._received = b""  # what it wrote beyond the line that was read last

    def ask(self, job: dict[str, Any], limit_seconds: float | None) -> dict[str, Any]:
        """Send a job, wait for its answer.

        Args:
            job: Of JSON's types.
            limit_seconds: How long the training may take; None for ever. The start of the process and the building of
                its trainer come before it: a limit that counted them would fail the first configuration of a process
                on a busy machine and let every other one pass.

        Raises:
            OutOfTimeError: The process was killed for it.
            DiedError: It ended by itself.
        """
        process, clock = self._started(), None
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended just now: reading says so
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
        except BaseException:  # an interrupted run leaves no training behind
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
        """Whether there is a process."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End the process, whatever it does; the next job starts another."""
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
                # Whatever can be imported here can be there: a family may live outside the repository.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), *sys.path]))},
            )
            weakref.finalize(self, _end, self._process)
        return self._process

    def _line(self, process: subprocess.Popen[bytes], limit_seconds: float | None) -> bytes | None:
        """The next line that the process writes, or None when it ends before one."""
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
