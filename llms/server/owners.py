"""The owners of a server: processes that need it. Each is a file named after the process id, with its start time."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

from harness.holder import began
from harness.orphans import SESSION
from llms.folders import locked

SUPERVISOR = "supervisor"  # beside the owners: the file with the supervisor's process id
ENDING = "ending"  # beside the owners: the mark of a server that is being ended


def session_pid() -> int:
    """The process id of the session if it is on this machine, else of this process."""
    host, _, pid = os.environ.get(SESSION, "").rpartition(":")
    if host == socket.gethostname() and pid.isdecimal() and began(int(pid)) is not None:
        return int(pid)
    return os.getpid()


def told_session(mark: Path) -> bool:
    """Whether to show this session a message: True the first time, noted in the file ``mark``."""
    session = f"{session_pid()} {began(session_pid())}"
    with locked(mark.with_suffix(f"{mark.suffix}.lock")):
        if mark.exists() and mark.read_text() == session:
            return False
        mark.write_text(session)
        return True


def add_owner(folder: Path, pid: int) -> None:
    """Register this process as an owner of the server behind ``folder``."""
    (folder / str(pid)).write_text(began(pid) or "gone")


def joined(folder: Path, pid: int) -> bool:
    """Register this process as a further owner of the server; False if the server is already ending."""
    with locked(folder.with_suffix(".owners.lock")):
        if (folder / ENDING).exists():
            return False
        if folder.exists():  # else Hyperbole did not start it
            add_owner(folder, pid)
        return True


def disowned(folder: Path) -> bool:
    """Whether no owner is alive. If so, this is final: no process can join any more."""
    if _has_owner(folder):
        return False
    with locked(folder.with_suffix(".owners.lock")):
        if _has_owner(folder):
            return False
        folder.mkdir(exist_ok=True)
        (folder / ENDING).touch()
        return True


def remove_owner(folder: Path, pid: int) -> None:
    """Remove this process from the owners."""
    (folder / str(pid)).unlink(missing_ok=True)


def supervisor_pid(folder: Path) -> int | None:
    """The supervisor of the server behind ``folder``; None if there is none."""
    try:
        pid = int((folder / SUPERVISOR).read_text())
    except (OSError, ValueError):
        return None
    return pid if began(pid) is not None else None


def owner_pids(folder: Path) -> list[int]:
    """The registered owners, alive or not."""
    try:
        return [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
    except FileNotFoundError:
        return []


def _has_owner(folder: Path) -> bool:
    for pid in owner_pids(folder):
        with suppress(FileNotFoundError):  # removed since
            if began(pid) == (folder / str(pid)).read_text():
                return True
    return False
