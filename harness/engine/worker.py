"""A worker process: it does the jobs that it is sent, and ends with the process that started it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from typing import Any

from harness.errors import HyperboleError
from harness.job import Done, Job, work
from harness.orphans import ORPHANED

READY = "ready"
"""What a worker sends first: from now on it begins the jobs that it receives."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job.

    Attributes:
        number: The job's.
        done: Its end; None if it failed.
        error: Why it failed, or None.
        trace: The traceback of an error that is not the user's.
    """

    number: int
    done: Done | None = None
    error: Exception | None = None
    trace: str | None = None


def serve(channel: Any, threads: int) -> None:
    """Do jobs until None arrives.

    Args:
        channel: One end of a pipe: pairs of number and job come in; ``READY`` and a ``Result`` per job go out.
        threads: How many jobs to do at a time, each in its own thread; a single one is done in the main thread.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by the server that this process is forked from
    threading.Thread(target=end_with_parent, name="parent-watch", daemon=True).start()
    sending = threading.Lock()

    def do(number: int, job: Job) -> None:
        result = result_of(number, job)
        with sending:
            channel.send(result)

    try:
        channel.send(READY)
        if threads == 1:
            while (task := channel.recv()) is not None:
                do(*task)
            return
        with ThreadPoolExecutor(threads, thread_name_prefix="run") as pool:
            while (task := channel.recv()) is not None:
                pool.submit(do, *task)
    except (EOFError, OSError):
        os._exit(ORPHANED)
    except KeyboardInterrupt:
        sys.stderr.flush()
        os._exit(130)  # runs in threads end like killed ones: the same command resumes them


def result_of(number: int, job: Job) -> Result:
    """Do a job."""
    try:
        return Result(number, work(job, live=False))
    except HyperboleError as error:
        return Result(number, error=sendable(error))
    except Exception as error:
        return Result(number, error=sendable(error), trace=traceback.format_exc())


def sendable(error: Exception) -> Exception:
    """The error as one that every process can read: one of ours whose class takes the message alone, or a text."""
    kinds = [each for each in type(error).__mro__ if issubclass(each, HyperboleError) and "__init__" not in vars(each)]
    kinds += [HyperboleError] if isinstance(error, HyperboleError) else []
    return kinds[0](str(error)) if kinds else RuntimeError(f"{type(error).__name__}: {error}")


def end_with_parent() -> None:
    """End this process as soon as the command's process has ended, whatever ended it."""
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(ORPHANED)
