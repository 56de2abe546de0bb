"""Read a completion from a server's response."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.chat import Completion, Token
from harness.masking import MASK
from harness.objects import levels_within
from harness.trial import Usage
from llms.wire.counts import UncountedError, read_usage
from llms.wire.keys import Key
from llms.wire.message import Said, read_message
from llms.wire.server_errors import Told, told_by
from llms.wire.thinking import TAGS, Tags, answer_tokens

FAILED = frozenset({"abort", "error", "insufficient_system_resource", "network_error"})
"""Finish reasons that report a failure of the server: vLLM's, OpenRouter's, DeepSeek's, Zhipu's."""
USUAL = frozenset(
    {
        "content_filter_results", "finish_reason", "index", "logprobs", "matched_stop", "message",
        "native_finish_reason", "prompt_token_ids", "stop_reason", "token_ids",
    }
)  # fmt: skip
"""Fields of a choice that are read or irrelevant."""
HIGHEST_LOGPROB = 0.01
"""A log-probability is at most 0, except for rounding."""


@dataclass(frozen=True, slots=True)
class Answered(Completion):
    """A reply received from a server.

    Attributes:
        failures: Short description of each failed attempt before it, in order.
        bodies: Response body of each failed attempt; None if there was none.
        refusal: Why the model declines, if the server reports that separately.
        choices: All choices as sent, without log-probabilities, if they hold more than text and thinking.
        masked: Whether it held the API key, which was replaced by ``***``.
        server: Base URL of the server that sent it.
    """

    failures: tuple[str, ...] = ()
    bodies: tuple[str | None, ...] = ()
    refusal: str | None = None
    choices: Sequence[Any] | None = None
    masked: bool = False
    server: str | None = None


class GarbledReplyError(Exception):
    """The body is not a chat completion, or reports a failure. The server is at fault, not the model.

    Attributes:
        spent: The tokens that it reports; None if they cannot be read either.
        told: The server's error.
    """

    def __init__(self, reason: str, spent: Usage | None = None, told: Told | None = None) -> None:
        super().__init__(reason)
        self.spent, self.told = spent or Usage(), told or Told()


def read_completion(
    body: bytes, attempts: int, seconds: float, tags: Tags | None = TAGS, key: Key | None = None
) -> Answered:
    """The completion in a response body of ``/chat/completions``.

    Args:
        body: As received.
        attempts: Number of requests sent for it, this one included.
        seconds: Latency of all of them, including the waits.
        tags: Tags around a thinking part that the server did not split off.
        key: The API key, which is hidden in the reply.

    Returns:
        The reply; its text is "" when the server sent null or no choice at all.

    Raises:
        GarbledReplyError: The body is not a chat completion, reports a failure, or has invalid token counts.
        UncountedError: The server does not report the number of prompt tokens.
    """
    reply, masked = _decoded(body, key)
    choices = reply.get("choices") if isinstance(reply, dict) else None
    if _says_something(reply.get("error") if isinstance(reply, dict) else None):
        raise GarbledReplyError("an error instead of a reply", _spent(reply), told_by(reply))
    if not isinstance(choices, list):
        raise GarbledReplyError("its reply has no choices", _spent(reply), told_by(reply))
    choice: Mapping[str, Any] = next((each for each in choices if isinstance(each, dict)), {})
    finish_reason = _finish_reason(choice.get("finish_reason"))
    if (finish_reason or "").lower() in FAILED or _says_something(choice.get("error")):
        told = told_by(choice) if _says_something(choice.get("error")) else Told()
        raise GarbledReplyError(f"its reply ended with the finish reason {finish_reason!r:.40}", _spent(reply), told)
    said = _said(choice, tags, reply)
    tokens = _read_tokens(choice.get("logprobs"), reply)
    try:
        usage = read_usage(reply.get("usage"), attempts, seconds, said.thinking is not None)
    except UncountedError:
        raise
    except ValueError as error:
        raise GarbledReplyError(f"its token counts cannot be read ({error})") from None
    whole = said.whole and len(choices) == 1 and not any(choice[name] for name in set(choice) - USUAL)
    answered = Answered(
        text=said.text,
        finish_reason=finish_reason,
        usage=usage,
        thinking=said.thinking,
        tokens=tokens if said.thinking is None or tokens is None else answer_tokens(tokens, said.text),
        refusal=said.refusal,
        choices=None if whole else [_without_tokens(each) for each in choices],
        masked=masked,
    )
    return answered if key is None else _without_spread_key(answered, key)


def _decoded(body: bytes, key: Key | None) -> tuple[Any, bool]:
    """The JSON value of a body without the key, and whether the body held the key."""
    deep = "its reply is nested too deeply"
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text)
    except ValueError as error:
        raise GarbledReplyError(f"its reply is not JSON in UTF-8 ({type(error).__name__})") from None
    except RecursionError:
        raise GarbledReplyError(deep) from None
    if not levels_within(value):
        raise GarbledReplyError(deep)
    if key is None or not key.stands_in(text):
        return value, False
    return key.hide_inside(value), True


def _says_something(error: Any) -> bool:
    """Whether the field ``error`` holds an error; some servers always send the field."""
    return any(map(_says_something, error.values())) if isinstance(error, dict) else bool(error)


def _finish_reason(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _said(choice: Mapping[str, Any], tags: Tags | None, reply: Any) -> Said:
    """The message of a choice, or its equivalent in a stream or an older protocol."""
    message = next((choice[name] for name in ("message", "delta", "text") if choice.get(name) is not None), None)
    try:
        said = read_message(message, tags)
    except ValueError as error:
        raise GarbledReplyError(f"its message cannot be read ({error})", _spent(reply)) from None
    return said


def _without_spread_key(answered: Answered, key: Key) -> Answered:
    """The reply without its parts and tokens if the key was spread over several of them."""
    spelt = "".join(token.text for token in answered.tokens or ())
    if key.stands_in(spelt):
        answered = replace(answered, tokens=tuple(Token("", {}) for _ in answered.tokens or ()), masked=True)
    if not any(key.stands_in(text) for text in (answered.text, answered.thinking or "", answered.refusal or "")):
        return answered
    text, thinking, refusal = key.hide_inside([answered.text, answered.thinking, answered.refusal])
    return replace(answered, text=text, thinking=thinking, refusal=refusal, choices=[MASK], masked=True)


def _read_tokens(logprobs: Any, reply: Any) -> tuple[Token, ...] | None:
    """The reply's tokens with the likeliest alternatives at each position; None if the server sent none."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        return None
    try:
        tokens = tuple(
            Token(
                _text(token["token"]), {_text(top["token"]): _logprob(top["logprob"]) for top in token["top_logprobs"]}
            )
            for token in content
        )
    except (KeyError, TypeError, ValueError):
        raise GarbledReplyError("its log-probabilities cannot be read", _spent(reply)) from None
    return tokens


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a token is no text")
    return value


def _logprob(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a log-probability is no number")
    if not -math.inf < value <= HIGHEST_LOGPROB:
        raise ValueError("a log-probability is above 0, or not finite")
    return float(value)


def _without_tokens(choice: Any) -> Any:
    return {name: value for name, value in choice.items() if name != "logprobs"} if isinstance(choice, dict) else choice


def _spent(reply: Any) -> Usage | None:
    """The usage that an unusable reply reports; None if it reports none."""
    try:
        return read_usage(reply.get("usage"), 0, 0.0, False)
    except (AttributeError, ValueError):
        return None
