"""Run a server while it has owners: ``python -m llms.server.supervise --owners FOLDER -- command...``.

It has a session of its own, so that neither Ctrl-C nor closing the terminal reaches it. It checks the owners (see
``owners``) several times per second and ends the command's whole process group when the last one is gone. If the
supervisor itself is killed, the kernel ends the command (Linux).
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from llms.server.owners import SUPERVISOR, disowned

POLL_SECONDS = 0.25
GRACE_SECONDS = 8.0  # for vLLM to end its workers; after that they are killed


def supervise(owners: Path, command: list[str]) -> int:
    """Run the command until it ends or has no owner; return its exit status."""
    # preexec_fn is safe here: this process has no threads
    child = subprocess.Popen(command, process_group=0, preexec_fn=_die_with_parent)  # noqa: PLW1509
    _on_signals(lambda *_: sys.exit(0))
    try:
        while child.poll() is None and not disowned(owners):
            time.sleep(POLL_SECONDS)
    finally:
        _on_signals(signal.SIG_IGN)  # a second signal must not cut the clean-up short
        end_group(child)
        _clear(owners)
    return child.returncode


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End the child's process group, with SIGTERM first."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and _group_lives(child):
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _group_lives(child: subprocess.Popen[bytes]) -> bool:
    child.poll()
    try:
        os.killpg(child.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _clear(owners: Path) -> None:
    """Rename the folder, then remove it, so that the next server's folder of the same name is not affected."""
    ended = owners.with_suffix(f".{os.getpid()}.ended")
    with suppress(FileNotFoundError):
        owners.rename(ended)
    shutil.rmtree(ended, ignore_errors=True)


def _on_signals(handler: Callable[..., object] | signal.Handlers) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, handler)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owners", type=Path, required=True)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    # Detached: a launcher that ends a worker with its children would otherwise end the server of the other workers.
    pid = os.fork()
    if pid:
        (arguments.owners / SUPERVISOR).write_text(str(pid))
        return 0
    os.setsid()
    return supervise(arguments.owners, arguments.command)


if __name__ == "__main__":
    sys.exit(main())
