"""A call as a row of ``calls.jsonl``, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.chat import ChatRequest, Completion, Token
from harness.trial import Usage
from llms.wire.attempts import TooLongError, UnansweredError
from llms.wire.replies import Answered

Row = dict[str, Any]
TOO_LONG = "too_long"
"""Field of a call that the server refused because prompt and reply do not fit the model's context."""


def row_of(number: int, request: ChatRequest, completion: Completion) -> Row:
    """The row of an answered call."""
    wire = completion if isinstance(completion, Answered) else Answered("")
    return {
        "id": number,
        **_asked(request),
        "reply": completion.text,
        "thinking": completion.thinking,
        "refusal": wire.refusal,
        "choices": None if wire.choices is None else list(wire.choices),
        "masked": wire.masked,
        "tokens": _plain_tokens(completion.tokens),
        "finish_reason": completion.finish_reason,
        **_spent(completion.usage, wire.failures, wire.bodies),
        "error": None,
        "started_at": completion.started_at,
    }


def row_of_unanswered(request: ChatRequest, error: UnansweredError) -> Row:
    """The row of an unanswered call: it has neither id nor reply."""
    nothing = dict.fromkeys(("reply", "thinking", "refusal", "choices", "masked", "tokens", "finish_reason"))
    spent = _spent(error.spent, error.failures, error.bodies)
    row = {"id": None, **_asked(request), **nothing, **spent, "error": str(error), "started_at": error.started_at}
    return row | ({TOO_LONG: True} if isinstance(error, TooLongError) else {})


def is_answered(row: Mapping[str, Any]) -> bool:
    """Whether a row holds a reply. If not, the call was given up."""
    return row["id"] is not None


def was_too_long(row: Mapping[str, Any]) -> bool:
    """Whether the server refused the call because prompt and reply do not fit the model's context."""
    return row.get(TOO_LONG) is True


def completion_of(row: Mapping[str, Any]) -> Completion:
    """The completion that an answered row recorded."""
    tokens = row.get("tokens")
    return Completion(
        row["reply"],
        row["finish_reason"],
        Usage.read(row["usage"]),
        row["id"],
        row.get("thinking"),
        None if tokens is None else tuple(Token(token["text"], token["top"]) for token in tokens),
        row.get("started_at"),
    )


def request_hash(request: ChatRequest) -> str:
    """The sha256 of messages and sampling parameters as canonical JSON; server and model do not count."""
    canonical = json.dumps(_plain_request(request), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _asked(request: ChatRequest) -> Row:
    return {"hash": request_hash(request), **_plain_request(request)}


def _spent(usage: Usage, failures: tuple[str, ...], bodies: tuple[str | None, ...]) -> Row:
    return {
        "usage": asdict(usage),
        "seconds": usage.seconds,
        "attempts": usage.calls,
        "failures": list(failures),
        "failed_bodies": list(bodies),
    }


def _plain_request(request: ChatRequest) -> Row:
    return {
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "sampling": {
            "mode": request.mode,
            "schema": None if request.schema is None else dict(request.schema),
            "temperature": float(request.temperature),  # 0 and 0.0 are one setting
            "max_tokens": request.max_tokens,
            "seed": request.seed,
            # Left out where unset: requests recorded before these existed keep their hash.
            **({} if request.top_p == 1 else {"top_p": float(request.top_p)}),
            **({"top_logprobs": request.top_logprobs} if request.top_logprobs else {}),
            **({} if request.thinking_tokens is None else {"thinking_tokens": request.thinking_tokens}),
        },
    }


def _plain_tokens(tokens: tuple[Token, ...] | None) -> list[Row] | None:
    return None if tokens is None else [{"text": token.text, "top": dict(token.top)} for token in tokens]
