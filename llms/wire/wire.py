"""Send, retry, time and read one request with the ``openai`` package. Imported at the first call only."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

import openai

from harness.chat import LOOPBACK, ChatRequest
from harness.clock import now
from harness.errors import ContextError, ModelError
from harness.trial import Usage
from llms.wire.attempts import AttemptError, Failed, GivenUpError, RefusedError, TooLongError, UnansweredError
from llms.wire.counts import UncountedError, token_count
from llms.wire.dialect import Dialect, encodable
from llms.wire.keys import Key
from llms.wire.refusals import Asked, refusal
from llms.wire.replies import Answered, GarbledReplyError, read_completion
from llms.wire.server_errors import LONGEST_WORDS, Told, is_final, told_in

LONGEST_BACKOFF_SECONDS = 8.0
LONGEST_RETRY_AFTER_SECONDS = 120.0
ASIDE_SECONDS = 20.0
"""Time limit of optional requests: a token count, a list of models."""
UNCOUNTED = (
    "The server does not report token counts, and a cost that is not measured cannot be compared; "
    "use a server whose replies hold usage.prompt_tokens."
)


class Wire:
    """A connection pool to one server, with retries. Belongs to one event loop."""

    def __init__(
        self,
        base_url: str,
        model: str,
        key: Key,
        timeout_seconds: float,
        max_attempts: int,
        backoff_seconds: float,
        dialect: Dialect,
    ) -> None:
        self._url, self._model, self._key = base_url, model, key
        self._timeout_seconds, self._max_attempts = timeout_seconds, max_attempts
        self._backoff_seconds, self._dialect = backoff_seconds, dialect
        self._asked = Asked(base_url, model, key.variable)
        parts = urlsplit(base_url)
        http = openai.DefaultAsyncHttpxClient(
            trust_env=parts.hostname not in LOOPBACK,  # the environment's proxies are not for this machine
            verify=parts.scheme == "https",  # loading certificates is slow, so only with TLS
            follow_redirects=False,  # a redirected POST arrives as a GET, if at all
        )
        self._openai = openai.AsyncOpenAI(
            api_key=key.value, base_url=base_url, timeout=timeout_seconds, max_retries=0, http_client=http
        )

    async def send(self, request: ChatRequest) -> Answered:
        """Send one request, up to ``max_attempts`` times; usage and seconds are those of all attempts.

        A failed attempt reports no tokens unless a garbled reply holds its usage. A server may have worked on
        an attempt that timed out; only its own counters show this (``llms.server.counters``).

        Raises:
            GivenUpError: No attempt was answered.
            TooLongError: The prompt and its reply do not fit the model's context.
            RefusedError: The server refuses the request, or reports no token counts.
        """
        body = self._dialect.body(self._model, request)
        started_at, start = now(), time.perf_counter()
        failed = Failed(self._key)
        for attempt in range(1, self._max_attempts + 1):
            try:
                reply = await self._counted(await self._attempt(body, attempt, start))
            except AttemptError as error:
                failed.add(error)
                final = error.final or (self._given_up(error) if attempt == self._max_attempts else None)
                if final is not None:
                    spent = failed.spent + Usage(calls=attempt, seconds=time.perf_counter() - start)
                    what, bodies = tuple(failed.what), tuple(failed.bodies)
                    raise _kind(error)(self._key.hide(str(final)), spent, what, started_at, bodies) from None
                backoff_seconds = min(self._backoff_seconds * 2 ** (attempt - 1), LONGEST_BACKOFF_SECONDS)
                await asyncio.sleep(max(backoff_seconds, error.wait_seconds))
            else:
                reply = replace(reply, failures=tuple(failed.what), bodies=tuple(failed.bodies))
                return replace(reply, usage=reply.usage + failed.spent, started_at=started_at)
        raise AssertionError("the last attempt returns or raises")

    async def close(self) -> None:
        """Close the connections."""
        await self._openai.close()

    async def _attempt(self, body: Mapping[str, Any], attempt: int, start: float) -> Answered:
        """Send the request once. The time limit is for the whole reply, also if bytes keep arriving slowly.

        Raises:
            AttemptError: The attempt failed.
        """
        sent = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await self._openai.chat.completions.with_raw_response.create(**body)
        except openai.APIStatusError as error:
            await self._refuse(error)
        except (openai.APITimeoutError, TimeoutError):
            raise AttemptError(f"time-out after {time.perf_counter() - sent:.1f} s") from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            garbled = type(cause).__name__ == "DecodingError"  # httpx's or httpx2's: there was a reply
            raise AttemptError(f"{'undecodable reply' if garbled else 'no connection'}: {cause}") from None
        content = answer.http_response.content
        try:
            return read_completion(
                content, attempt, time.perf_counter() - start, self._dialect.thinking_tags, self._key
            )
        except UncountedError:
            raise AttemptError("its reply has no token counts", body=content, final=ModelError(UNCOUNTED)) from None
        except GarbledReplyError as error:
            told, status = self._hidden(error.told), answer.http_response.status_code
            final = refusal(self._asked, status, told) if is_final(status, told) else None
            raise AttemptError(str(error), told.words, content, error.spent, final=final) from None

    async def _refuse(self, error: openai.APIStatusError) -> NoReturn:
        status, headers, body = error.status_code, error.response.headers, error.response.content
        wait_seconds, told = retry_after_seconds(headers), self._hidden(told_in(body))
        final = None
        if is_final(status, told, wait_seconds):
            models = await self._models() if status == 404 else []
            location = self._key.hide_beginning(headers.get("location", ""), LONGEST_WORDS)
            final = refusal(self._asked, status, told, models, location)
        raise AttemptError(f"HTTP {status}", told.words, body, wait_seconds=wait_seconds, final=final) from None

    def _hidden(self, told: Told) -> Told:
        return replace(told, words=self._key.hide_beginning(told.words, LONGEST_WORDS))

    async def _counted(self, completion: Answered) -> Answered:
        """The completion with its reasoning tokens, counted by vLLM's tokenizer if the reply did not report them.

        The text is tokenized again, without its tags, so the count may be off by a few tokens. This is not part of
        the latency and not a call: the model is not used.
        """
        usage, url = completion.usage, self._dialect.tokenize_url
        if completion.thinking is None or usage.reasoning_tokens is not None or url is None:
            return completion
        body = {"model": self._model, "prompt": encodable(completion.thinking), "add_special_tokens": False}
        try:
            async with asyncio.timeout(ASIDE_SECONDS):
                answer: Any = await self._openai.post(url, cast_to=object, body=body)
            count = min(token_count(answer["count"]), usage.completion_tokens)
        except (openai.OpenAIError, TimeoutError, KeyError, TypeError, ValueError, RecursionError):
            return completion  # not counted
        return replace(completion, usage=replace(usage, reasoning_tokens=count))

    async def _models(self) -> list[str]:
        """Names of the server's models; empty if it does not list them."""
        try:
            async with asyncio.timeout(ASIDE_SECONDS):
                found = (await self._openai.models.list()).data or []
            return [model.id for model in found if isinstance(model.id, str)]
        except (openai.OpenAIError, TimeoutError, AttributeError, TypeError, ValueError, RecursionError):
            return []

    def _given_up(self, error: AttemptError) -> str:
        tried = f"{self._max_attempts} attempt{'s' if self._max_attempts > 1 else ''}"
        if error.what.startswith("time-out"):
            return (
                f"The server at {self._url} did not finish a reply within {self._timeout_seconds:g} s ({tried}); "
                "raise llm.timeout_seconds or lower llm.concurrency."
            )
        if error.what.startswith("no connection"):
            return (
                f"No language-model server answers at {self._url} ({error.what}; {tried}); start one, for example with "
                "`make serve`, or set llm.base_url to a running one."
            )
        what = f"{error.what}: {error.words.rstrip('.')}" if error.words else error.what
        return f"The server at {self._url} kept failing ({what}; {tried}); check its log, or try later."


def _kind(error: AttemptError) -> type[UnansweredError]:
    if error.final is None:
        return GivenUpError
    return TooLongError if isinstance(error.final, ContextError) else RefusedError


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """The wait in seconds from the Retry-After header, which holds seconds or a date; 0 without one."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):  # not a valid date
            return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)
