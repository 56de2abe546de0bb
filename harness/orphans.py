"""End this process together with the command that it works for, whatever ends that command."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from contextlib import suppress

from harness.holder import began

SESSION = "HYPERBOLE_SESSION"
"""Environment variable: ``host:pid`` of the outermost command or program; the server that it starts ends with it."""
COMMAND = "HYPERBOLE_COMMAND"
"""Environment variable: ``host:pid`` of the innermost command; every process that it starts inherits it."""
ORPHANED = 1
"""Exit code of a process whose command has ended."""
POLL_SECONDS = 0.5
_watched: set[int] = set()


def end_with_command() -> None:
    """End this process with its command, if that is another process of this machine; may be called repeatedly.

    Launchers such as joblib's keep workers for later jobs, and nothing tells these that the command was killed.
    """
    host, _, pid = os.environ.get(COMMAND, "").rpartition(":")
    if host == socket.gethostname() and pid.isdecimal() and int(pid) != os.getpid():
        end_with(int(pid))


def end_with(pid: int) -> None:
    """End this process as soon as another one of this machine has ended.

    Args:
        pid: The other one; if it has ended already, nothing is done, since its number may be another's by now.
    """
    if pid not in _watched and (start := began(pid)) is not None:
        _watched.add(pid)
        threading.Thread(target=_wait, args=(pid, start), name="command-watch", daemon=True).start()


def _wait(pid: int, start: str) -> None:
    with suppress(OSError, AttributeError):  # only newer Linux kernels tell; elsewhere it is asked for repeatedly
        handle = os.pidfd_open(pid)
        if began(pid) == start:
            end = select.poll()
            end.register(handle, select.POLLIN)
            end.poll()
    while began(pid) == start:
        time.sleep(POLL_SECONDS)
    os._exit(ORPHANED)
