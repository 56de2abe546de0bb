"""Failed attempts at one reply."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.errors import ContextError, HyperboleError, ModelError, ServerError
from harness.trial import Usage
from llms.wire.keys import Key

LONGEST_BODY = 100_000
"""Number of characters of a failed attempt's body that are recorded."""


class AttemptError(Exception):
    """One attempt failed.

    Attributes:
        what: What happened, in a few words.
        words: The server's own error message, on one line; "" if there is none.
        body: As received; None if nothing was.
        spent: The tokens that the server reports.
        wait_seconds: The wait that the server asks for before the next attempt.
        final: The error for the user if no further attempt could succeed, else None.
        is_away: Whether no model answers there at the moment, so that another server is asked next.
    """

    def __init__(
        self,
        what: str,
        words: str = "",
        body: bytes | None = None,
        spent: Usage | None = None,
        wait_seconds: float = 0.0,
        final: ModelError | None = None,
        is_away: bool = False,
    ) -> None:
        super().__init__(what)
        self.what, self.words, self.body = what, words, body
        self.spent, self.wait_seconds, self.final = spent or Usage(), wait_seconds, final
        self.is_away = is_away


class UnansweredError(HyperboleError):
    """No attempt was answered.

    Attributes:
        spent: Number of attempts, their seconds, and the tokens that garbled replies report.
        failures: The failure of each attempt.
        started_at: Time of the first attempt, as ISO 8601.
        bodies: Response body of each attempt, as text without secrets; None if there was none.
        server: Base URL of the server that was asked last.
    """

    def __init__(  # pickling between processes rebuilds it from its message alone
        self,
        message: str,
        spent: Usage | None = None,
        failures: tuple[str, ...] = (),
        started_at: str | None = None,
        bodies: tuple[str | None, ...] = (),
        server: str | None = None,
    ) -> None:
        super().__init__(message)
        self.spent, self.failures, self.started_at, self.bodies = spent or Usage(), failures, started_at, bodies
        self.server = server


class GivenUpError(UnansweredError, ServerError):
    """Every attempt failed; a later one may succeed."""


class RefusedError(UnansweredError, ModelError):
    """The server refuses the request or the account; a retry would fail too."""


class TooLongError(RefusedError, ContextError):
    """The prompt and its reply do not fit the model's context."""

    places = ()


@dataclass(slots=True)
class Failed:
    """The failed attempts at one reply so far.

    Attributes:
        key: The API key, which is hidden.
        names_servers: Whether each failure says where, since there are several servers.
        attempts: Number of attempts per server, the one under way included.
        last: The last failure at each server.
    """

    key: Key
    names_servers: bool = False
    attempts: Counter[str] = field(default_factory=Counter)
    last: dict[str, AttemptError] = field(default_factory=dict)
    what: list[str] = field(default_factory=list)
    bodies: list[str | None] = field(default_factory=list)
    spent: Usage = field(default_factory=Usage)

    def add(self, error: AttemptError, server: str) -> None:
        """Add a failed attempt."""
        self.last[server] = error
        self.what.append(self.key.hide(f"{server}: {error.what}" if self.names_servers else error.what))
        self.bodies.append(None if error.body is None else recorded(error.body, self.key))
        self.spent += error.spent


def recorded(body: bytes, key: Key) -> str:
    """A body as text for the log: without secrets; of a very long one, only the beginning and the end."""
    text = body.decode("utf-8", "backslashreplace")
    if len(text) <= LONGEST_BODY:
        return key.hide(text)
    head, tail = LONGEST_BODY * 3 // 4, LONGEST_BODY // 4
    left_out = f" [... {len(text) - head - tail} characters left out ...] "
    return key.hide_beginning(text, head) + left_out + key.hide_end(text, tail)
