"""A chat model behind an OpenAI-compatible URL."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.chat import ChatRequest, Completion
from harness.errors import HyperboleError, SettingError
from harness.progress import say
from llms.wire.dialect import Dialect, MaxTokensField
from llms.wire.keys import checked_variable, read_key
from llms.wire.thinking import TAGS, checked_tags

if TYPE_CHECKING:
    from llms.wire.wire import Wire


class Client:
    """Sends batches concurrently to one server. Building it is free: nothing is imported or sent before a batch is.

    The API key is read from the environment when it is needed and is neither stored in an attribute a log could print
    nor part of ``repr``. Not for use inside a running event loop.

    Args:
        base_url: Up to and with ``/v1``.
        model: As the server names it.
        api_key_env: Name of the environment variable that holds the key; None sends none.
        timeout_seconds: Longest wait for one reply, an attempt, from the connection to the last byte.
        max_attempts: Tries for one reply, at lost connections, time-outs, 408, 409, 429, 5xx and garbled bodies. What
            cannot succeed (no credit left, a redirect, an unknown model) is not tried again.
        backoff_seconds: Wait before the second try; doubled for each further one, up to 8 s. A server's Retry-After
            may ask for more.
        concurrency: Requests in flight at most.
        max_tokens_field: The server's word for the longest reply; OpenAI's newest models want max_completion_tokens.
        thinking_field: The server's word for the longest thinking part, in tokens; None where it has none.
        thinking_tags: What stands around the thinking part of a reply; None never looks for one.
        tokenize_url: Where vLLM counts the tokens of a text; None where nobody can be asked.
        serving: How the server computes, for the record of its calls; None where nobody knows.

    Raises:
        SettingError: A setting no server could be asked with.
    """

    def __init__(  # noqa: PLR0913 (each one is a setting)
        self,
        base_url: str,
        model: str,
        *,
        api_key_env: str | None = None,
        timeout_seconds: float = 300.0,
        max_attempts: int = 5,
        backoff_seconds: float = 0.5,
        concurrency: int = 64,
        max_tokens_field: MaxTokensField = "max_tokens",
        thinking_field: str | None = None,
        thinking_tags: Sequence[str] | None = TAGS,
        tokenize_url: str | None = None,
        serving: Mapping[str, Any] | None = None,
    ) -> None:
        _check_url(base_url)
        _check_positive(timeout_seconds=timeout_seconds, max_attempts=max_attempts, concurrency=concurrency)
        self.server, self.model, self._api_key_env = base_url.rstrip("/"), model, checked_variable(api_key_env)
        self.serving = serving
        self._timeout_seconds, self._concurrency = timeout_seconds, concurrency
        self._max_attempts, self._backoff_seconds = max_attempts, backoff_seconds
        self._dialect = Dialect(max_tokens_field, thinking_field, checked_tags(thinking_tags), tokenize_url)

    def __repr__(self) -> str:
        return f"Client({self.server!r}, {self.model!r})"

    def prepare(self) -> None:
        """See that there is a key; connections are opened a batch at a time.

        Raises:
            ModelError: It is not set, or no request could carry it.
        """
        read_key(self._api_key_env, self.server)

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """One completion a request, in order.

        Raises:
            ServerError: Nobody answers.
            ModelError: The server refuses a request, or the key is not set or cannot be sent.
            SettingError: A request limits the thinking part, and the server has no word for that.
        """
        completions = []
        for result in self.settle(requests):
            if isinstance(result, HyperboleError):
                raise result
            completions.append(result)
        return completions

    def settle(self, requests: Sequence[ChatRequest]) -> list[Completion | HyperboleError]:
        """What became of each request, in order: one that failed does not take the others with it."""
        for request in requests:
            self._dialect.check(request)
        if not requests:
            return []
        import asyncio

        # A loop and a pool a batch: they cost a millisecond and leave nothing open; Ctrl-C drops what is in flight.
        results = asyncio.run(self._settle(requests))
        if any(getattr(result, "masked", False) for result in results):
            say(f"The server at {self.server} sent the API key in a reply; it reads *** there and in calls.jsonl.")
        return results

    async def _settle(self, requests: Sequence[ChatRequest]) -> list[Completion | HyperboleError]:
        import asyncio

        wire = self._open()
        free = asyncio.Semaphore(self._concurrency)

        async def send(request: ChatRequest) -> Completion | HyperboleError:
            async with free:
                try:
                    return await wire.send(request)
                except HyperboleError as error:
                    return error

        try:
            return list(await asyncio.gather(*(send(request) for request in requests)))
        finally:
            await wire.close()

    def _open(self) -> Wire:
        from llms.wire.wire import Wire

        return Wire(
            self.server,
            self.model,
            read_key(self._api_key_env, self.server),
            self._timeout_seconds,
            self._max_attempts,
            self._backoff_seconds,
            self._dialect,
        )


def _check_url(base_url: object) -> None:
    """Refuse what is no address; one that may hold a secret is not shown."""
    example = "give a URL such as http://127.0.0.1:8077/v1"
    if not isinstance(base_url, str) or not base_url.isprintable() or " " in base_url:
        raise SettingError(f"llm.base_url is no URL; {example}.")
    if "@" in base_url:
        raise SettingError("llm.base_url holds credentials; put them into the variable that llm.api_key_env names.")
    if "?" in base_url or "#" in base_url:
        raise SettingError(
            f"llm.base_url goes on after a '?' or '#', which no path can follow; {example}, and put a key into the "
            "variable that llm.api_key_env names."
        )
    try:
        parts = urlsplit(base_url)
        found = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none, a bracket that is not closed
        found = None
    if not found:
        raise SettingError(f"llm.base_url is {base_url!r}; {example}.")


def _check_positive(**settings: float) -> None:
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise SettingError(f"llm.{name} is {value!r}; give a positive number.")
