"""The words for talking to a language model; ``llms/`` speaks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from harness.trial import Usage

Role = Literal["system", "user", "assistant"]
Mode = Literal["free", "json_object", "json_schema"]
SchemaForm = Literal["branches", "flat"]
"""What a schema says of a space with conditions; see ``llms.schema``."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""How a URL calls the machine it is used on."""


LENGTH = "length"
"""The finish reason of a reply that hit its token limit."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One prompt and how to sample its reply.

    Attributes:
        messages: The conversation so far, oldest first.
        mode: free text, any JSON object, or an object of ``schema``.
        schema: JSON schema of the reply; needed by ``json_schema`` alone.
        temperature: 0 is greedy.
        max_tokens: Longest reply; a longer one is cut and its finish reason is "length". The answer's alone: a thinking
            budget comes on top.
        seed: Sampling seed, sent to the server.
        top_p: Nucleus sampling; 1 samples from every token.
        top_logprobs: Alternatives whose log-probabilities are asked for at every token of the reply; 0 for none.
        thinking_tokens: Longest thinking part of a reasoning model; None sets no limit of its own.
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
    """One token of a reply: its text, and log-probabilities (natural) of the likeliest tokens at its place."""

    text: str
    top: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Completion:
    """One reply.

    Attributes:
        text: The raw answer, without the thinking part; untrusted.
        finish_reason: As the server says: "stop", "length", ...
        usage: Cost of this reply, every attempt included.
        id: Its line in ``calls.jsonl``; None before it is recorded.
        thinking: The thinking part of a reasoning model's reply, or None where there is none.
        tokens: The answer's tokens, where ``top_logprobs`` asked for them.
        started_at: When it was sent, as ISO 8601; None where nobody noted it.
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
        """Do what takes long and is no answer, such as starting a server; called once, before the clock of a run."""
        ...

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """One completion a request, in order.

        Raises:
            ServerError: Nobody answers.
            ModelError: The server refuses the request.
        """
        ...
