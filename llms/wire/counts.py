"""Check the token counts that a server reports, so that no wrong cost goes unnoticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.trial import USAGE, Usage

MOST_TOKENS = 10**12
_NULLS: dict[str, Any] = {each.name: None for each in USAGE if each.null is not None}
UNMEASURED = Usage(**_NULLS)
"""What a reply says of its cost that says nothing."""


class UncountedError(ValueError):
    """The server does not report the number of prompt tokens."""


def token_count(value: Any) -> int:
    """Check a number of tokens.

    Raises:
        ValueError: It is negative, not whole, a boolean, a text, or implausibly large.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_TOKENS:
        raise ValueError(f"not a number of tokens: {value!r:.40}")
    if value != int(value):
        raise ValueError(f"not a whole number of tokens: {value!r}")
    return int(value)


def read_usage(usage: Any, attempts: int, seconds: float, thought: bool) -> Usage:
    """The ``usage`` of a reply.

    Args:
        usage: As sent.
        attempts: Requests sent for the reply.
        seconds: Latency of all of them.
        thought: Whether the reply has a thinking part.

    Returns:
        ``cached_tokens`` is None if the server does not report it; ``reasoning_tokens`` is None if there is a thinking
        part and the server does not report its length.

    Raises:
        UncountedError: The server does not report the number of prompt tokens.
        ValueError: A count is invalid, or more tokens came from the cache than the prompt has.
    """
    fields = _mapping(usage)
    if fields.get("prompt_tokens") is None:
        raise UncountedError
    prompt = token_count(fields["prompt_tokens"])
    cached = _mapping(fields.get("prompt_tokens_details")).get("cached_tokens")
    if cached is not None and token_count(cached) > prompt:
        raise ValueError(f"{cached} cached tokens, but {prompt} prompt tokens")
    written = fields.get("completion_tokens")
    return replace(
        UNMEASURED,
        calls=attempts,
        prompt_tokens=prompt,
        cached_tokens=None if cached is None else token_count(cached),
        completion_tokens=0 if written is None else token_count(written),
        seconds=seconds,
        reasoning_tokens=_reasoning_tokens(fields.get("completion_tokens_details"), thought),
    )


def _reasoning_tokens(details: Any, thought: bool) -> int | None:
    """The server's count, also of a thinking part that it does not send.

    A count of 0 despite a thinking part means unknown: vLLM's parsers report it if they cannot count, or if they miss
    the opening tag because the chat template wrote it.
    """
    reported = _mapping(details).get("reasoning_tokens")
    return (0 if reported is None else token_count(reported)) or (None if thought else 0)


def _mapping(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"token counts in a {type(value).__name__}")
    return value
