"""The words for talking to a language model; ``llms/`` speaks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from harness.trial import Usage

Role = Literal["system", "user", "assistant"]
Mode = Literal["free", "json_object", "json_schema"]


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
        max_tokens: Longest reply; a longer one is cut and its finish reason is "length".
        seed: Sampling seed, sent to the server.
    """

    messages: tuple[Message, ...]
    mode: Mode = "free"
    schema: Mapping[str, Any] | None = None
    temperature: float = 0.0
    max_tokens: int = 256
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One reply.

    Attributes:
        text: The raw reply; untrusted.
        finish_reason: As the server says: "stop", "length", ...
        usage: Cost of this reply, every attempt included.
        id: Its line in ``calls.jsonl``; None before it is recorded.
    """

    text: str
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    id: int | None = None


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
