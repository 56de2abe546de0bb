"""Token counts as a server reports them: checked, for a wrong one would be a wrong cost in silence."""

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
    """The server does not say how many tokens it read."""


def token_count(value: Any) -> int:
    """A number of tokens.

    Raises:
        ValueError: It is none: negative, not whole, a boolean, a text, or beyond all reason.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_TOKENS:
        raise ValueError(f"no number of tokens: {value!r:.40}")
    if value != int(value):
        raise ValueError(f"no whole number of tokens: {value!r}")
    return int(value)


def read_usage(usage: Any, attempts: int, seconds: float, thought: bool) -> Usage:
    """The ``usage`` of a reply.

    Args:
        usage: As sent.
        attempts: Requests sent for the reply.
        seconds: Latency of all of them.
        thought: Whether the reply has a thinking part.

    Returns:
        ``cached_tokens`` is None where the server does not report it, ``reasoning_tokens`` where there is a thinking
        part and it does not.

    Raises:
        UncountedError: It does not report how many tokens it read.
        ValueError: A count is none, or more tokens came from the cache than were read.
    """
    fields = _mapping(usage)
    if fields.get("prompt_tokens") is None:
        raise UncountedError
    prompt = token_count(fields["prompt_tokens"])
    cached = _mapping(fields.get("prompt_tokens_details")).get("cached_tokens")
    if cached is not None and token_count(cached) > prompt:
        raise ValueError(f"{cached} tokens from the cache, and {prompt} read")
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
    """The server's count, also of a thinking part that it keeps to itself.

    A count of 0 beside a thinking part is none: so say vLLM's parsers that cannot count, or that miss the opening tag
    because the chat template wrote it.
    """
    reported = _mapping(details).get("reasoning_tokens")
    return (0 if reported is None else token_count(reported)) or (None if thought else 0)


def _mapping(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"token counts in a {type(value).__name__}")
    return value
