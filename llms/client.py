"""A chat model behind an OpenAI-compatible URL."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.chat import ChatRequest, Completion
from harness.console import say
from harness.errors import HyperboleError, SettingError
from llms.wire.dialect import Dialect, MaxTokensField
from llms.wire.keys import checked_variable, read_key
from llms.wire.route import Route, ranked
from llms.wire.thinking import TAGS, checked_tags
from llms.wire.urls import checked_urls

if TYPE_CHECKING:
    from llms.wire.wire import Wire

Arrived = Callable[[int, Completion | HyperboleError], None]


def _ignore(place: int, result: Completion | HyperboleError) -> None:
    """Wait for the whole batch."""


class Client:
    """Sends batches concurrently to one server, or to one of several that serve the same model.

    Building it is free: nothing is imported or sent before a batch is.

    The API key is read from the environment when it is needed. It is neither stored in an attribute that a log could
    print nor part of ``repr``. Do not use a client inside a running event loop.

    Args:
        base_url: The URL, including ``/v1``; or a list of several, in order of preference. The next one is asked as
            soon as one is away (no connection, a time-out, 502, 503, 504), and stays in use.
        model: The server's name of the model.
        api_key_env: Name of the environment variable that holds the key; None sends none.
        timeout_seconds: Time limit per attempt, from the connection to the last byte.
        max_attempts: Attempts per reply and server. Lost connections, time-outs, 408, 409, 429, 5xx and garbled bodies
            are retried; what cannot succeed (no credit left, a redirect, an unknown model) is not.
        backoff_seconds: Wait before the second attempt at a server; doubled for each further one, up to 8 s. A server's
            Retry-After may ask for more.
        concurrency: Largest number of requests in flight.
        max_tokens_field: The server's field for the reply limit; OpenAI's newest models need max_completion_tokens.
        thinking_field: The server's field for the limit of the thinking part, in tokens; None if it has none.
        thinking_tags: The tags around the thinking part of a reply; None disables the search for one.
        tokenize_url: URL at which vLLM counts the tokens of a text; None if there is none.
        serving: How the server computes, for the record of its calls; None if unknown.

    Raises:
        SettingError: A setting is invalid.
    """

    def __init__(  # noqa: PLR0913 (each one is a setting)
        self,
        base_url: str | Sequence[str],
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
        self._route, self._headers = Route(checked_urls(base_url)), dict[str, str]()
        _check_positive(timeout_seconds=timeout_seconds, max_attempts=max_attempts, concurrency=concurrency)
        self.model, self._api_key_env = model, checked_variable(api_key_env)
        self.serving = serving
        self._timeout_seconds, self._concurrency = timeout_seconds, concurrency
        self._max_attempts, self._backoff_seconds = max_attempts, backoff_seconds
        self._dialect = Dialect(max_tokens_field, thinking_field, checked_tags(thinking_tags), tokenize_url)

    def __repr__(self) -> str:
        return f"Client({self.server!r}, {self.model!r})"

    @property
    def server(self) -> str:
        """Base URL of the server that is asked now."""
        return self._route.in_turn[0]

    def of_run(self, run: str) -> Client:
        """This client for one run, which gets its own order of the servers (``llms.wire.route.ranked``).

        A router in front of several servers gets a name of the run in the header ``X-Session-ID``; vllm-router's
        policies ``consistent_hash`` and ``sticky_least_loaded`` keep a session with one server.

        Args:
            run: Names the run on every machine.
        """
        client = copy.copy(self)
        client._route = Route(ranked(self._route.in_turn, run))
        client._headers = {"X-Session-ID": hashlib.sha256(run.encode()).hexdigest()[:32]}
        return client

    def prepare(self) -> None:
        """Check that the API key is set. Connections are opened per batch.

        Raises:
            ModelError: The key is not set, or no request could carry it.
        """
        read_key(self._api_key_env, self.server)

    def complete(self, requests: Sequence[ChatRequest]) -> list[Completion]:
        """Return one completion per request, in order.

        Raises:
            ServerError: No server answers.
            ModelError: The server refuses a request, or the key is not set or cannot be sent.
            SettingError: A request limits the thinking part, and the server has no field for that.
        """
        completions = []
        for result in self.settle(requests):
            if isinstance(result, HyperboleError):
                raise result
            completions.append(result)
        return completions

    def settle(self, requests: Sequence[ChatRequest], arrived: Arrived = _ignore) -> list[Completion | HyperboleError]:
        """Return the completion or error of each request, in order. One failure does not affect the others.

        Args:
            requests: The batch.
            arrived: Called with the place and the result of each request as soon as it has ended.
        """
        for request in requests:
            self._dialect.check(request)
        if not requests:
            return []
        import asyncio

        # One event loop and one pool per batch cost a millisecond and leave nothing open; Ctrl-C drops open requests.
        results = asyncio.run(self._settle(requests, arrived))
        masked = {str(getattr(each, "server", None)) for each in results if getattr(each, "masked", False)}
        for server in sorted(masked):
            say(f"The server at {server} sent the API key in a reply; it is masked (***) there and in calls.jsonl.")
        return results

    async def _settle(self, requests: Sequence[ChatRequest], arrived: Arrived) -> list[Completion | HyperboleError]:
        import asyncio

        wire = self._open()
        free = asyncio.Semaphore(self._concurrency)

        async def send(place: int, request: ChatRequest) -> Completion | HyperboleError:
            result: Completion | HyperboleError
            async with free:
                try:
                    result = await wire.send(request)
                except HyperboleError as error:
                    result = error
            arrived(place, result)
            return result

        try:
            return list(await asyncio.gather(*(send(*each) for each in enumerate(requests))))
        finally:
            await wire.close()

    def _open(self) -> Wire:
        from llms.wire.wire import Wire

        return Wire(
            self._route,
            self.model,
            read_key(self._api_key_env, self.server),
            self._timeout_seconds,
            self._max_attempts,
            self._backoff_seconds,
            self._dialect,
            self._headers,
        )


def _check_positive(**settings: float) -> None:
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise SettingError(f"llm.{name} is {value!r}; give a positive number.")
