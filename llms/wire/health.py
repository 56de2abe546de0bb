"""Check that a server answers, and list its models."""

from __future__ import annotations

import json
import urllib.error
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from harness.errors import ServerError
from llms.wire.fetch import get

ANSWER_SECONDS = 20.0  # a server busy on every core may take a while


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What a server reports about one of its models.

    Attributes:
        name: Name for clients.
        weights: Folder or id that it was loaded from; None if not reported (only vLLM does).
        max_model_len: Prompt and reply together, in tokens; None if not reported.
    """

    name: str
    weights: str | None = None
    max_model_len: int | None = None


def served_models(url: str) -> list[str] | None:
    """Names of the models behind an OpenAI-compatible base URL on this machine; None if no server listens there.

    Raises:
        ServerError: Something listens there that is no language-model server.
    """
    found = look_up_models(url)
    return None if found is None else [model.name for model in found]


def look_up_models(url: str) -> list[ServedModel] | None:
    """The models behind an OpenAI-compatible base URL on this machine; None if no server listens there.

    Raises:
        ServerError: Something listens there that is no language-model server.
    """
    try:
        return [_read(model) for model in json.loads(get(f"{url}/models", ANSWER_SECONDS))["data"]]
    except urllib.error.HTTPError as error:
        raise _taken(url, f"HTTP {error.code}") from None
    except (urllib.error.URLError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ConnectionError):  # refused, or reset by a server that is just ending
            return None
        raise _taken(url, str(reason)) from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, HTTPException) as error:
        raise _taken(url, type(error).__name__) from None


def _read(model: Any) -> ServedModel:
    weights, length = model.get("root"), model.get("max_model_len")
    return ServedModel(
        str(model["id"]),
        weights if isinstance(weights, str) else None,
        length if isinstance(length, int) else None,
    )


def _taken(url: str, answer: str) -> ServerError:
    port = urlsplit(url).port or 80
    return ServerError(
        f"Port {port} is used by a program that is not a language-model server (it answered: {answer}); "
        f"set another port, e.g. llm.port={port + 1}."
    )
