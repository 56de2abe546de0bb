"""What became of the attempts at one reply, where none or not the first was answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import HyperboleError, ModelError, ServerError
from harness.trial import Usage
from llms.wire.keys import Key

LONGEST_BODY = 100_000
"""Characters of a failed attempt's body that are recorded."""


class AttemptError(Exception):
    """One attempt failed.

    Attributes:
        what: What happened, in a few words.
        words: The server's own, on one line; "" where it said none.
        body: As received; None where nothing was.
        spent: The tokens it says it read and wrote.
        wait_seconds: How long the server asks to wait before the next.
        final: Why no other attempt could succeed, in a sentence for the user; None where one could.
    """

    def __init__(
        self,
        what: str,
        words: str = "",
        body: bytes | None = None,
        spent: Usage | None = None,
        wait_seconds: float = 0.0,
        final: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what, self.words, self.body = what, words, body
        self.spent, self.wait_seconds, self.final = spent or Usage(), wait_seconds, final


class UnansweredError(HyperboleError):
    """No attempt was answered.

    Attributes:
        spent: All attempts: how many, their seconds, and what tokens a garbled reply said it cost.
        failures: What became of each.
        started_at: When the first was sent, as ISO 8601.
        bodies: What the server sent at each, as text without secrets; None where it sent nothing.
    """

    def __init__(  # made anew from its message alone where it crosses from one process to another
        self,
        message: str,
        spent: Usage | None = None,
        failures: tuple[str, ...] = (),
        started_at: str | None = None,
        bodies: tuple[str | None, ...] = (),
    ) -> None:
        super().__init__(message)
        self.spent, self.failures, self.started_at, self.bodies = spent or Usage(), failures, started_at, bodies


class GivenUpError(UnansweredError, ServerError):
    """Every attempt failed, and another may succeed later."""


class RefusedError(UnansweredError, ModelError):
    """The server refuses the request, or the account behind it: trying again changes nothing."""


@dataclass(slots=True)
class Failed:
    """The attempts at one reply that failed so far."""

    key: Key
    what: list[str] = field(default_factory=list)
    bodies: list[str | None] = field(default_factory=list)
    spent: Usage = field(default_factory=Usage)

    def add(self, error: AttemptError) -> None:
        """Note one more."""
        self.what.append(self.key.hide(error.what))
        self.bodies.append(None if error.body is None else recorded(error.body, self.key))
        self.spent += error.spent


def recorded(body: bytes, key: Key) -> str:
    """A body as text for the log: without secrets, and of a very long one the beginning and the end."""
    text = body.decode("utf-8", "backslashreplace")
    if len(text) <= LONGEST_BODY:
        return key.hide(text)
    head, tail = LONGEST_BODY * 3 // 4, LONGEST_BODY // 4
    left_out = f" [... {len(text) - head - tail} characters left out ...] "
    return key.hide_beginning(text, head) + left_out + key.hide_end(text, tail)
