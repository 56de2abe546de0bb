"""Block all network connections of a process that replays a record."""

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
"""Python's audit events (docs.python.org/3/library/audit_events.html) that precede a connection to another machine."""
_is_offline = False


def go_offline() -> None:
    """Refuse every connection of this process from now on, except to local sockets; cannot be undone."""
    global _is_offline  # noqa: PLW0603 (like an audit hook, it holds for the whole process)
    if not _is_offline:
        _is_offline = True
        sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _OUTWARD:
        return
    address = arguments[1] if event in ("socket.connect", "socket.sendto", "socket.sendmsg") else arguments[0]
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and not isinstance(address, tuple):
        return  # a local socket, or one that is already connected
    raise OSError(errno.ENETDOWN, f"connections are blocked during a replay ({address!r})")
