"""Which process has a run: it says so in the run's lock file, which is empty again after the run."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.clock import now


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that works on a run, or did when it was killed.

    Attributes:
        host: Its machine.
        pid: Its process id there.
        began: Its start time in the kernel's units, which reveals a reused process id; None if unknown.
        since: When it locked the run.
    """

    host: str
    pid: int
    began: str | None
    since: str

    @classmethod
    def here(cls) -> Holder:
        """This process."""
        return cls(socket.gethostname(), os.getpid(), began(os.getpid()), now())

    @classmethod
    def read(cls, lock: Path) -> Holder | None:
        """The process that a lock file names; None if it names none."""
        try:
            found = json.loads(lock.read_bytes())
            return cls(str(found["host"]), int(found["pid"]), found["began"], str(found["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def text(self) -> bytes:
        """What the lock file says."""
        return json.dumps(asdict(self)).encode("ascii")

    @property
    def is_alive(self) -> bool | None:
        """Whether it still runs; None on another machine."""
        return began(self.pid) == self.began if self.host == socket.gethostname() else None


def began(pid: int) -> str | None:
    """Start time of a process in the kernel's units; None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except (OSError, IndexError):
        return None
    try:  # no /proc on this system: only tells whether the process exists
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "?"
