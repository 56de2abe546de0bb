"""A process that plays a record again needs no network; in one that has gone offline, nothing can open a connection."""

from __future__ import annotations

import errno
import sys
from typing import Any

_OUTWARD = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendmsg",
        "socket.sendto",
    }
)
"""Python's audit events (docs.python.org/3/library/audit_events.html) before a process speaks to another machine."""
_is_offline = False


def go_offline() -> None:
    """Refuse every connection of this process from now on, but to sockets that are files; there is no way back."""
    global _is_offline  # noqa: PLW0603 (as an audit hook is: the process's own, and for good)
    if not _is_offline:
        _is_offline = True
        sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _OUTWARD:
        return
    address = arguments[1] if event in ("socket.connect", "socket.sendto", "socket.sendmsg") else arguments[0]
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and not isinstance(address, tuple):
        return  # a socket that is a file, or one that is connected
    raise OSError(errno.ENETDOWN, f"no connection is opened while a record is played again ({address!r})")
