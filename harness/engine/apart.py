"""A pool in a process of its own, for a library that ends its process: Ray does when the cluster's head ends."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from harness.engine.pool import GRACE_SECONDS, Task, Workers, ending
from harness.engine.worker import Result, end_with_parent, sendable
from harness.errors import HyperboleError, RunError


class Apart:
    """Another pool, which does its work in a child process.

    Args:
        workers: The pool; it is sent to the process.
        library: Its library's name, for the message.
    """

    def __init__(self, workers: Workers, library: str) -> None:
        self._workers, self._library = workers, library

    def results(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """The result of each job, as soon as it has ended.

        Raises:
            HyperboleError: As the pool; also when its process ends.
            KeyboardInterrupt: The command is interrupted; so is the process.
        """
        if not tasks:
            return
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._workers, tasks), name=f"hyperbole-{self._library}")
        process.start()
        theirs.close()
        try:
            while (told := ours.recv()) is not None:
                if isinstance(told, Exception):
                    process.join()
                    raise told
                yield told
            process.join()
        except (EOFError, ConnectionError):
            process.join()
            raise RunError(
                f"{self._library} ended the sweep ({ending(process.exitcode)}), most likely because the cluster's head "
                "has ended; the same command continues where this one stopped."
            ) from None
        finally:
            _end(process)


def _end(process: Any) -> None:
    """End the process; it is asked first, so that runs can record the interruption."""
    if process.exitcode is None:
        with contextlib.suppress(OSError):
            os.kill(process.pid, signal.SIGINT)
        process.join(2 * GRACE_SECONDS)
    if process.exitcode is None:
        process.kill()
    process.join()


def _serve(channel: Any, workers: Workers, tasks: Sequence[Task]) -> None:
    signal.signal(signal.SIGINT, _interrupt_once)
    threading.Thread(target=end_with_parent, name="parent-watch", daemon=True).start()
    try:
        for result in workers.results(tasks):
            channel.send(result)
        channel.send(None)
    except HyperboleError as error:
        channel.send(sendable(error))
    except KeyboardInterrupt:
        sys.stderr.flush()
        os._exit(130)


def _interrupt_once(*_: Any) -> None:
    """A terminal interrupts this process, and so does the command: the second time would disturb the ending."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt
