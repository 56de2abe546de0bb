"""From the bytes a server sends to a completion."""

from __future__ import annotations

import json
from typing import Any

from harness.chat import Completion, Token
from harness.errors import ModelError
from harness.trial import Usage


class GarbledReplyError(Exception):
    """The body is no chat completion: not UTF-8, not JSON, or without choices. A fault of the server, so retried."""


def read_completion(body: bytes, attempts: int, seconds: float) -> Completion:
    """The completion in a response body of ``/chat/completions``.

    Args:
        body: As received.
        attempts: Requests sent for it, this one included.
        seconds: Latency of all of them, waiting in between included.

    Returns:
        The reply; its text is "" when the server sent null or no choice at all. ``cached_tokens`` is None where the
        server does not report it.

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
        raise GarbledReplyError("its reply has no choices")
    first = choices[0] if choices and isinstance(choices[0], dict) else {}
    text = (first.get("message") or {}).get("content")
    return Completion(
        text=text if isinstance(text, str) else "",
        finish_reason=first.get("finish_reason"),
        usage=_read_usage(reply.get("usage"), attempts, seconds),
        tokens=_read_tokens(first.get("logprobs")),
    )


def _read_tokens(logprobs: Any) -> tuple[Token, ...] | None:
    """The reply's tokens with the likeliest alternatives at each place; None where the server sent none."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        return None
    try:
        return tuple(
            Token(token["token"], {top["token"]: float(top["logprob"]) for top in token["top_logprobs"]})
            for token in content
        )
    except (KeyError, TypeError, ValueError):
        raise GarbledReplyError("its log-probabilities cannot be read") from None


def _read_usage(usage: Any, attempts: int, seconds: float) -> Usage:
    try:
        details = usage.get("prompt_tokens_details") or {}
        cached = details.get("cached_tokens")
        return Usage(
            calls=attempts,
            prompt_tokens=int(usage["prompt_tokens"]),
            cached_tokens=None if cached is None else int(cached),
            completion_tokens=int(usage.get("completion_tokens") or 0),
            seconds=seconds,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ModelError(
            "The server does not report how many tokens it read and wrote, and a cost that is not measured cannot be "
            "compared; use a server whose replies hold usage.prompt_tokens."
        ) from None
