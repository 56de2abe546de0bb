"""Explain a server's refusal in one sentence that says what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import ContextError, ModelError
from llms.wire.server_errors import Told, lacks_funds

_OVERFLOW = re.compile(
    r"context.(length|window|size)|max_model_len|maximum model length|prompt is too long|reduce the length"
    r"|maximum number of tokens allowed",
    re.IGNORECASE,
)
"""What servers (vLLM, llama.cpp, OpenAI and other services) say of a prompt that does not fit."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The server and model of a request.

    Attributes:
        url: The server's base URL.
        model: The model that was asked for.
        key_name: Environment variable that holds the API key, or None.
    """

    url: str
    model: str
    key_name: str | None


def refusal(asked: Asked, status: int, told: Told, models: Sequence[str] = (), location: str = "") -> ModelError:
    """The error for a response that a retry would not change.

    Args:
        asked: Server and model.
        status: HTTP status.
        told: The server's error, without secrets.
        models: Models that the server lists; empty if it lists none.
        location: Target of a redirect.
    """
    url, words = asked.url, told.words.rstrip(".")
    said = f"HTTP {status}: {words}" if words else f"HTTP {status}"
    if (before := _of_any_service(asked, status, told, said, location)) is not None:
        return before
    if _is_context_overflow(words):
        return context_overflow(asked.model, words)
    if status == 404 and models and asked.model not in models:
        return unknown_model(url, asked.model, models)
    if status == 404 and "model" not in words.lower():
        return ModelError(f"The server at {url} has no chat completions ({said}); llm.base_url usually ends in /v1.")
    return ModelError(f"The server at {url} refused the request ({said}).")


def _of_any_service(asked: Asked, status: int, told: Told, said: str, location: str) -> ModelError | None:
    """The error for a redirect, an empty account or a rejected key; None if the request itself is at fault."""
    url = asked.url
    if 300 <= status < 400:
        where = f" to {location}" if location else ""
        return ModelError(
            f"The server at {url} redirects requests{where} ({said}); set llm.base_url to the URL of chat completions, "
            "including /v1."
        )
    if lacks_funds(status, told):
        other = f"set {asked.key_name} to another key" if asked.key_name else "use another server"
        return ModelError(
            f"The server at {url} has no quota or credit left for this account ({said}); add some there, or {other}."
        )
    if status in (401, 403) or told.codes & {"invalid_api_key", "authentication_error"}:
        name = asked.key_name
        where = f"set the environment variable {name} to a valid key" if name else "set llm.api_key_env"
        return ModelError(f"The server at {url} refused the credentials ({said}); {where}.")
    return None


def unknown_model(url: str, model: str, models: Sequence[str]) -> ModelError:
    """The error for a model that the server does not have; it lists the server's models, the nearest first."""
    near = difflib.get_close_matches(model, models, n=len(models) or 1, cutoff=0.0)
    has = ", ".join(repr(name) for name in near) if near else "no model"
    return ModelError(
        f"The server at {url} does not serve {model!r} but {has}; set llm.model to one of these, or another llm.port."
    )


def context_overflow(model: str, message: str) -> ContextError:
    """The error for a prompt longer than the model's context, with both numbers if the server reports them."""
    limit = _first_number(message, r"(?:maximum context length|context length|max_model_len)\D{0,20}?(\d+)")
    asked = _first_number(
        message,
        r"(\d+) tokens \(\d+ in the messages",
        r"(?:contains|has|resulted in) (?:at least )?(\d+) (?:input )?tokens",
        r"requested (?:about )?(\d+)",
    )
    tokens = f" of {asked} tokens" if asked else ""
    room = f"{limit} tokens of {model}" if limit else f"context of {model}"
    return ContextError(
        f"The prompt{tokens} and its reply do not fit the {room}, even without a history of trials (the server says: "
        f"{message.rstrip('.')}); use a larger llm.max_model_len, a smaller decoding.max_tokens, "
        "or prompt.context=none."
    )


def _is_context_overflow(message: str) -> bool:
    return bool(_OVERFLOW.search(message))


def _first_number(text: str, *patterns: str) -> str | None:
    found = (re.search(pattern, text, re.IGNORECASE) for pattern in patterns)
    return next((match[1] for match in found if match), None)
