"""What a server's refusal means, in one sentence that says what to do."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence

from harness.errors import HyperboleError, ModelError


def refusal(
    url: str, model: str, key_name: str | None, status: int, body: bytes, models: Sequence[str]
) -> HyperboleError:
    """The error for a 4xx answer that trying again would not change.

    Args:
        url: The server's base URL.
        model: The model that was asked for.
        key_name: Environment variable the API key comes from, or None.
        status: HTTP status.
        body: As received; may hold anything.
        models: What the server says it serves; empty if it does not say.
    """
    message = _message(body)
    if status in (401, 403):
        where = f"set the environment variable {key_name} to a valid key" if key_name else "set llm.api_key_env"
        return ModelError(f"The server at {url} refused the credentials (HTTP {status}); {where}.")
    if _is_context_overflow(message):
        return context_overflow(model, message)
    if status == 404 and models and model not in models:
        return unknown_model(url, model, models)
    if status == 404 and "model" not in message.lower():
        return _no_such_path(url)
    return ModelError(f"The server at {url} refused the request (HTTP {status}): {message.rstrip('.')}.")


def unknown_model(url: str, model: str, models: Sequence[str]) -> ModelError:
    """The error for a model the server does not have: names those it has, the nearest first."""
    near = difflib.get_close_matches(model, models, n=len(models) or 1, cutoff=0.0)
    has = ", ".join(repr(name) for name in near) if near else "no model"
    return ModelError(
        f"The server at {url} does not serve {model!r} but {has}; set llm.model to one of these, or another llm.port."
    )


def context_overflow(model: str, message: str) -> ModelError:
    """The error for a prompt longer than the model's context, with the two numbers where the server tells them."""
    limit = _first_number(message, r"(?:maximum context length|context length|max_model_len)\D{0,20}?(\d+)")
    asked = _first_number(
        message,
        r"(\d+) tokens \(\d+ in the messages",
        r"(?:contains|has|resulted in) (?:at least )?(\d+) (?:input )?tokens",
        r"requested (?:about )?(\d+)",
    )
    tokens = f" of {asked} tokens" if asked else ""
    room = f"{limit} tokens of {model}" if limit else f"context of {model}"
    return ModelError(
        f"The prompt{tokens} and its reply do not fit the {room}; use optimizer.history=compressed, a smaller budget, "
        "or a larger llm.max_model_len."
    )


def _is_context_overflow(message: str) -> bool:
    return bool(re.search(r"context.length|context.window|max_model_len", message, re.IGNORECASE))


def _no_such_path(url: str) -> ModelError:
    return ModelError(f"The server at {url} has no chat completions (HTTP 404); llm.base_url usually ends in /v1.")


def _first_number(text: str, *patterns: str) -> str | None:
    found = (re.search(pattern, text, re.IGNORECASE) for pattern in patterns)
    return next((match[1] for match in found if match), None)


def _message(body: bytes) -> str:
    """The server's own words on one line of at most 300 characters."""
    text = body.decode("utf-8", "replace")
    try:
        reply = json.loads(text)
    except ValueError:
        reply = None
    if isinstance(reply, dict):
        inner = reply.get("error", reply)
        text = str(inner.get("message", inner)) if isinstance(inner, dict) else str(inner)
    return " ".join(text.split())[:300]
