"""Which of several equal servers a run asks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


class Route:
    """Servers in order of preference, and the one that is asked now: the first, until it is left for the next.

    A prefix cache is warm only where the earlier requests of a run went, so a run returns to a server that it left only
    when it has left all others.

    Args:
        servers: Their base URLs, at least one, each once.
    """

    def __init__(self, servers: Sequence[str]) -> None:
        self._servers = tuple(servers)

    def __repr__(self) -> str:
        return f"Route({', '.join(self._servers)})"

    @property
    def in_turn(self) -> tuple[str, ...]:
        """All servers, the one that is asked now first."""
        return self._servers

    def leave(self, server: str) -> None:
        """Go on to the next server, unless another request has left this one before."""
        if server == self._servers[0]:
            self._servers = (*self._servers[1:], server)


def ranked(servers: Sequence[str], run: str) -> list[str]:
    """The servers in a run's own order: rendezvous hashing (Thaler and Ravishankar, 1998).

    Runs spread evenly over the servers, whatever the order in which these are given, and those of a server that is
    left out spread evenly over the rest, while the others stay.
    """
    return sorted(servers, key=lambda server: hashlib.sha256(f"{run}\n{server}".encode()).digest())
