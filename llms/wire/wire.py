"""Send one request until it is answered: attempts, waits and moves between servers. Imported at the first call only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

from harness.chat import ChatRequest
from harness.clock import now
from harness.errors import ContextError
from harness.trial import Usage
from llms.wire.attempts import AttemptError, Failed, GivenUpError, RefusedError, TooLongError, UnansweredError
from llms.wire.connection import Connection
from llms.wire.dialect import Dialect
from llms.wire.keys import Key
from llms.wire.replies import Answered
from llms.wire.route import Route

LONGEST_BACKOFF_SECONDS = 8.0


class Wire:
    """Connections to the servers of a route, with retries. Belongs to one event loop.

    Args:
        route: The servers. It moves on from one that is away.
        model: The servers' name of the model.
        key: The API key.
        timeout_seconds: Time limit per attempt.
        max_attempts: Attempts per reply and server.
        backoff_seconds: Wait before the second attempt at a server; doubled for each further one.
        dialect: Names of the request's fields.
        headers: Sent with every request.
    """

    def __init__(
        self,
        route: Route,
        model: str,
        key: Key,
        timeout_seconds: float,
        max_attempts: int,
        backoff_seconds: float,
        dialect: Dialect,
        headers: Mapping[str, str],
    ) -> None:
        self._route, self._model, self._key = route, model, key
        self._timeout_seconds, self._max_attempts = timeout_seconds, max_attempts
        self._backoff_seconds, self._dialect, self._headers = backoff_seconds, dialect, headers
        self._connections: dict[str, Connection] = {}

    async def send(self, request: ChatRequest) -> Answered:
        """Send one request, up to ``max_attempts`` times per server; usage and seconds are those of all attempts.

        A server that is away is left at once, any other one after its last attempt. A failed attempt reports no tokens
        unless a garbled reply holds its usage. A server may have worked on an attempt that timed out; only its own
        counters show this (``llms.server.counters``).

        Raises:
            GivenUpError: No attempt was answered.
            TooLongError: The prompt and its reply do not fit the model's context.
            RefusedError: The server refuses the request, or reports no token counts.
        """
        body = self._dialect.body(self._model, request)
        started_at, start = now(), time.perf_counter()
        failed = Failed(self._key, len(self._route.in_turn) > 1)
        server: str | None = self._route.in_turn[0]
        while server is not None:
            asked = server
            failed.attempts[asked] += 1
            try:
                reply = await self._to(asked).attempt(body, failed.attempts.total(), start)
            except AttemptError as error:
                failed.add(error, asked)
                server = await self._after(error, asked, failed)
            else:
                reply = replace(reply, failures=tuple(failed.what), bodies=tuple(failed.bodies), server=asked)
                return replace(reply, usage=reply.usage + failed.spent, started_at=started_at)
        last = failed.last[asked]
        sentence = self._given_up(failed) if last.final is None else str(last.final)
        spent = failed.spent + Usage(calls=failed.attempts.total(), seconds=time.perf_counter() - start)
        what, bodies = tuple(failed.what), tuple(failed.bodies)
        raise _kind(last)(self._key.hide(sentence), spent, what, started_at, bodies, asked)

    async def close(self) -> None:
        """Close the connections."""
        for connection in self._connections.values():
            await connection.close()

    def _to(self, server: str) -> Connection:
        if server not in self._connections:
            self._connections[server] = Connection(
                server, self._model, self._key, self._timeout_seconds, self._dialect, self._headers
            )
        return self._connections[server]

    async def _after(self, error: AttemptError, server: str, failed: Failed) -> str | None:
        """The server for the next attempt, after the wait before it; None if there is no further attempt."""
        if error.is_away or failed.attempts[server] == self._max_attempts:
            self._route.leave(server)
        left = (each for each in self._route.in_turn if failed.attempts[each] < self._max_attempts)
        if error.final is not None or (after := next(left, None)) is None:
            return None
        before = failed.attempts[after]
        backoff_seconds = self._backoff_seconds * 2 ** (before - 1) if before else 0.0
        asked_seconds = error.wait_seconds if after == server else 0.0
        await asyncio.sleep(max(min(backoff_seconds, LONGEST_BACKOFF_SECONDS), asked_seconds))
        return after

    def _given_up(self, failed: Failed) -> str:
        """The sentence for the user when no server has answered."""
        tried = f"{self._max_attempts} attempt{'s' if self._max_attempts > 1 else ''}"
        if failed.names_servers:
            what = "; ".join(f"{server}: {_in_words(error)}" for server, error in failed.last.items())
            return (
                f"None of the servers of llm.base_url answers ({what}; {tried} each); start one, or set llm.base_url "
                "to running ones."
            )
        ((url, error),) = failed.last.items()
        if error.what.startswith("time-out"):
            return (
                f"The server at {url} did not finish a reply within {self._timeout_seconds:g} s ({tried}); "
                "raise llm.timeout_seconds or lower llm.concurrency."
            )
        if error.what.startswith("no connection"):
            return (
                f"No language-model server answers at {url} ({error.what}; {tried}); start one, for example with "
                "`make serve`, or set llm.base_url to a running one."
            )
        return f"The server at {url} kept failing ({_in_words(error)}; {tried}); check its log, or try later."


def _kind(error: AttemptError) -> type[UnansweredError]:
    if error.final is None:
        return GivenUpError
    return TooLongError if isinstance(error.final, ContextError) else RefusedError


def _in_words(error: AttemptError) -> str:
    return f"{error.what}: {error.words.rstrip('.')}" if error.words else error.what
