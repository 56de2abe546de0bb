"""A chat model behind an OpenAI-compatible URL."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.chat import ChatRequest, Completion
from harness.errors import HyperboleError, ModelError, SettingError
from llms.dialect import Dialect, MaxTokensField
from llms.thinking import TAGS, checked_tags

if TYPE_CHECKING:
    from llms.wire import Wire

NO_KEY = "EMPTY"  # what local servers take for a key


class Client:
    """Sends batches concurrently to one server. Building it is free: nothing is imported or sent before a batch is.

    The API key is read from the environment when it is needed and is neither stored in an attribute a log could print
    nor part of ``repr``. Not for use inside a running event loop.

    Args:
        base_url: Up to and with ``/v1``.
        model: As the server names it.
        api_key_env: Name of the environment variable that holds the key; None sends none.
        timeout_seconds: Longest wait for one reply, an attempt.
        max_attempts: Tries for one reply, at lost connections, time-outs, 408, 409, 429, 5xx and garbled bodies.
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
        self.server, self.model, self._api_key_env = base_url.rstrip("/"), model, api_key_env
        self.serving = serving
        self._timeout_seconds, self._concurrency = timeout_seconds, concurrency
        self._max_attempts, self._backoff_seconds = max_attempts, backoff_seconds
        self._dialect = Dialect(max_tokens_field, thinking_field, checked_tags(thinking_tags), tokenize_url)

    def __repr__(self) -> str:
        return f"Client({self.server!r}, {self.model!r})"

    def prepare(self) -> None:
        """See that there is a key; connections are opened a batch at a time.

        Raises:
            ModelError: The key is not set.
        """
        self._key()

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """One completion a request, in order.

        Raises:
            ServerError: Nobody answers.
            ModelError: The server refuses a request, or the key is not set.
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
        return asyncio.run(self._settle(requests))

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
        from llms.wire import Wire

        return Wire(
            self.server,
            self.model,
            self._key(),
            self._api_key_env,
            self._timeout_seconds,
            self._max_attempts,
            self._backoff_seconds,
            self._dialect,
        )

    def _key(self) -> str:
        if self._api_key_env is None:
            return NO_KEY
        key = os.environ.get(self._api_key_env, "").strip()
        if not key:
            raise ModelError(
                f"The server at {self.server} needs an API key; set the environment variable {self._api_key_env} "
                "to it, or say llm.api_key_env=null if it needs none."
            )
        return key


def _check_url(base_url: str) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError(f"llm.base_url is {base_url!r}; give a URL such as http://127.0.0.1:8077/v1.")
    if parts.password or parts.username:
        raise SettingError("llm.base_url holds credentials; put them into the variable that llm.api_key_env names.")


def _check_positive(**settings: float) -> None:
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise SettingError(f"llm.{name} is {value!r}; give a positive number.")
