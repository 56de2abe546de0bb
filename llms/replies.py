"""From the bytes a server sends to a completion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.chat import Completion, Token
from harness.errors import ModelError, ServerError
from harness.trial import Usage
from llms.thinking import TAGS, Tags, answer_tokens, read_message


@dataclass(frozen=True, slots=True)
class Answered(Completion):
    """A reply that came over a wire.

    Attributes:
        failures: What became of each attempt before it, in a few words and in order.
    """

    failures: tuple[str, ...] = ()


class GarbledReplyError(Exception):
    """The body is no chat completion: not UTF-8, not JSON, or without choices. A fault of the server, so retried.

    Attributes:
        spent: The tokens it says it read and wrote; none where that cannot be read either.
    """

    def __init__(self, reason: str, spent: Usage | None = None) -> None:
        super().__init__(reason)
        self.spent = spent or Usage()


class GivenUpError(ServerError):
    """No attempt was answered.

    Attributes:
        spent: All attempts: how many, their seconds, and what tokens a garbled reply said it cost.
        failures: What became of each.
        started_at: When the first was sent, as ISO 8601.
    """

    def __init__(  # made anew from its message alone where it crosses from one process to another
        self,
        message: str,
        spent: Usage | None = None,
        failures: tuple[str, ...] = (),
        started_at: str | None = None,
    ) -> None:
        super().__init__(message)
        self.spent, self.failures, self.started_at = spent or Usage(), failures, started_at


def read_completion(body: bytes, attempts: int, seconds: float, tags: Tags | None = TAGS) -> Answered:
    """The completion in a response body of ``/chat/completions``.

    Args:
        body: As received.
        attempts: Requests sent for it, this one included.
        seconds: Latency of all of them, waiting in between included.
        tags: What stands around a thinking part that the server did not split off.

    Returns:
        The reply; its text is "" when the server sent null or no choice at all. ``cached_tokens`` is None where the
        server does not report it, ``reasoning_tokens`` where there is a thinking part and it does not.

    Raises:
        GarbledReplyError: The body is no chat completion.
        ModelError: The server does not say how many tokens it read and wrote.
    """
    try:
        reply = json.loads(body.decode("utf-8"))
    except ValueError as error:
        raise GarbledReplyError(f"its reply is not JSON in UTF-8 ({type(error).__name__})") from None
    choices = reply.get("choices") if isinstance(reply, dict) else None
    if not isinstance(choices, list):
        raise GarbledReplyError("its reply has no choices", _spent(reply))
    first = choices[0] if choices and isinstance(choices[0], dict) else {}
    thinking, text = read_message(first.get("message"), tags)
    try:
        tokens = _read_tokens(first.get("logprobs"))
    except (KeyError, TypeError, ValueError):
        raise GarbledReplyError("its log-probabilities cannot be read", _spent(reply)) from None
    return Answered(
        text=text,
        finish_reason=first.get("finish_reason"),
        usage=_read_usage(reply.get("usage"), attempts, seconds, thinking is not None),
        thinking=thinking,
        tokens=tokens if thinking is None or tokens is None else answer_tokens(tokens, text),
    )


def _read_tokens(logprobs: Any) -> tuple[Token, ...] | None:
    """The reply's tokens with the likeliest alternatives at each place; None where the server sent none."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        return None
    return tuple(
        Token(token["token"], {top["token"]: float(top["logprob"]) for top in token["top_logprobs"]})
        for token in content
    )


def _spent(reply: Any) -> Usage | None:
    """What a reply that is of no use says it cost; None where it does not say."""
    try:
        return _read_usage(reply.get("usage"), 0, 0.0, False)
    except (AttributeError, ModelError):
        return None


def _read_usage(usage: Any, attempts: int, seconds: float, thought: bool) -> Usage:
    try:
        details = usage.get("prompt_tokens_details") or {}
        cached = details.get("cached_tokens")
        return Usage(
            calls=attempts,
            prompt_tokens=int(usage["prompt_tokens"]),
            cached_tokens=None if cached is None else int(cached),
            completion_tokens=int(usage.get("completion_tokens") or 0),
            seconds=seconds,
            reasoning_tokens=_read_reasoning_tokens(usage.get("completion_tokens_details"), thought),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ModelError(
            "The server does not report how many tokens it read and wrote, and a cost that is not measured cannot be "
            "compared; use a server whose replies hold usage.prompt_tokens."
        ) from None


def _read_reasoning_tokens(details: Any, thought: bool) -> int | None:
    """The server's count, also of a thinking part that it keeps to itself.

    A count of 0 beside a thinking part is none: so say vLLM's parsers that cannot count, or that miss the opening tag
    because the chat template wrote it.
    """
    reported = int((details or {}).get("reasoning_tokens") or 0)
    return reported or (None if thought else 0)
