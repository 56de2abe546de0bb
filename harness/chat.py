"""The interface to language models, which ``llms/`` implements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from harness.trial import Usage

Role = Literal["system", "user", "assistant"]
Mode = Literal["free", "json_object", "json_schema"]
SchemaForm = Literal["branches", "flat"]
"""Form of the schema of a space with conditions; see ``llms.schema``."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names of the local machine in a URL."""


LENGTH = "length"
"""The finish reason of a reply that hit its token limit."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One prompt and the sampling parameters of its reply.

    Attributes:
        messages: The conversation so far, oldest first.
        mode: Free text, any JSON object, or an object of ``schema``.
        schema: JSON schema of the reply, for the mode ``json_schema``.
        temperature: 0 is greedy.
        max_tokens: Token limit of the answer; a longer one is truncated with finish reason "length". A limit of the
            thinking part is added to it.
        seed: Sampling seed, sent to the server.
        top_p: Nucleus sampling; 1 samples from every token.
        top_logprobs: Number of alternatives with log-probabilities per token of the reply; 0 for none.
        thinking_tokens: Token limit of a reasoning model's thinking part; None for no separate limit.
    """

    messages: tuple[Message, ...]
    mode: Mode = "free"
    schema: Mapping[str, Any] | None = None
    temperature: float = 0.0
    max_tokens: int = 256
    seed: int | None = None
    top_p: float = 1.0
    top_logprobs: int = 0
    thinking_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a reply: its text, and natural log-probabilities of the likeliest tokens at its position."""

    text: str
    top: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Completion:
    """One reply.

    Attributes:
        text: The raw answer, without the thinking part; untrusted.
        finish_reason: The server's finish reason: "stop", "length", ...
        usage: Cost of this reply, including all attempts.
        id: Its line in ``calls.jsonl``; None before it is recorded.
        thinking: The thinking part of a reasoning model's reply, or None.
        tokens: The answer's tokens, if ``top_logprobs`` is set.
        started_at: Time of the request, as ISO 8601; None if not recorded.
    """

    text: str
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    id: int | None = None
    thinking: str | None = None
    tokens: tuple[Token, ...] | None = None
    started_at: str | None = None


class ChatModel(Protocol):
    """A language model. A batch is the primitive: the requests are sent concurrently."""

    def prepare(self) -> None:
        """Do slow preparations, such as starting a server; called once, before the clock of a run starts."""
        ...

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """Return one completion per request, in order.

        Raises:
            ServerError: No server answers.
            ModelError: The server refuses the request.
        """
        ...
