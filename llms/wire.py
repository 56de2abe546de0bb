"""One request at a time over the ``openai`` package: sent, retried, timed, read. Loaded at the first call only."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import openai

from harness.chat import LOOPBACK, ChatRequest
from harness.clock import now
from harness.trial import Usage
from llms.dialect import Dialect, encodable
from llms.refusals import refusal
from llms.replies import Answered, GarbledReplyError, GivenUpError, read_completion

LONGEST_BACKOFF_SECONDS = 8.0
LONGEST_RETRY_AFTER_SECONDS = 120.0


class Wire:
    """A connection pool to one server and the loop that tries again. Belongs to one event loop."""

    def __init__(
        self,
        base_url: str,
        model: str,
        key: str,
        key_name: str | None,
        timeout_seconds: float,
        max_attempts: int,
        backoff_seconds: float,
        dialect: Dialect,
    ) -> None:
        self._url, self._model, self._key, self._key_name = base_url, model, key, key_name
        self._timeout_seconds, self._max_attempts = timeout_seconds, max_attempts
        self._backoff_seconds, self._dialect = backoff_seconds, dialect
        parts = urlsplit(base_url)
        http = openai.DefaultAsyncHttpxClient(
            trust_env=parts.hostname not in LOOPBACK,  # no proxy of the environment leads to this machine
            verify=parts.scheme == "https",  # without TLS: do not load certificates, which takes 50 ms
        )
        self._openai = openai.AsyncOpenAI(
            api_key=key, base_url=base_url, timeout=timeout_seconds, max_retries=0, http_client=http
        )

    async def send(self, request: ChatRequest) -> Answered:
        """The reply to one request, tried up to ``max_attempts`` times; its usage and seconds are those of all tries.

        A try that came to nothing tells no tokens, but for a garbled reply that holds its usage: a server may have
        worked for one that timed out, which its own counters show alone (``llms.counters``).

        Raises:
            GivenUpError: No attempt was answered.
            ModelError: The server refuses the request.
        """
        body = self._dialect.body(self._model, request)
        started_at, start = now(), time.perf_counter()
        failures: list[str] = []
        spent = Usage()
        for attempt in range(1, self._max_attempts + 1):
            wait_seconds = min(self._backoff_seconds * 2 ** (attempt - 1), LONGEST_BACKOFF_SECONDS)
            sent = time.perf_counter()
            try:
                answer = await self._openai.chat.completions.with_raw_response.create(**body)
                seconds = time.perf_counter() - start
                content, tags = answer.http_response.content, self._dialect.thinking_tags
                reply = await self._counted(read_completion(content, attempt, seconds, tags))
                return replace(reply, usage=reply.usage + spent, started_at=started_at, failures=tuple(failures))
            except openai.APIStatusError as error:
                if error.status_code < 500 and error.status_code not in (408, 409, 429):
                    raise await self._refused(error) from None
                failures.append(f"HTTP {error.status_code}")
                wait_seconds = max(wait_seconds, retry_after_seconds(error.response.headers))
            except openai.APITimeoutError:
                failures.append(f"time-out after {time.perf_counter() - sent:.1f} s")
            except openai.APIConnectionError as error:
                failures.append(f"no connection: {error.__cause__ or error}")
            except GarbledReplyError as error:
                failures.append(str(error))
                spent += error.spent
            if attempt < self._max_attempts:
                await asyncio.sleep(wait_seconds)
        spent += Usage(calls=self._max_attempts, seconds=time.perf_counter() - start)
        raise GivenUpError(self._given_up(failures[-1]), spent, tuple(failures), started_at)

    async def close(self) -> None:
        """Close the connections."""
        await self._openai.close()

    async def _counted(self, completion: Answered) -> Answered:
        """The completion with its thinking part's tokens counted by vLLM's tokenizer, where the reply did not say.

        The text is tokenized anew and without its tags, which may come to a few tokens more or less than were written.
        Not part of the latency, and no call: the model does nothing for it.
        """
        usage, url = completion.usage, self._dialect.tokenize_url
        if completion.thinking is None or usage.reasoning_tokens is not None or url is None:
            return completion
        body = {"model": self._model, "prompt": encodable(completion.thinking), "add_special_tokens": False}
        try:
            answer: Any = await self._openai.post(url, cast_to=object, body=body)
            count = min(int(answer["count"]), usage.completion_tokens)
        except (openai.OpenAIError, KeyError, TypeError, ValueError):
            return completion  # nobody counted
        return replace(completion, usage=replace(usage, reasoning_tokens=count))

    async def _refused(self, error: openai.APIStatusError) -> Exception:
        models = await self._models() if error.status_code == 404 else []
        body = error.response.content.replace(self._key.encode(), b"***")
        return refusal(self._url, self._model, self._key_name, error.status_code, body, models)

    async def _models(self) -> list[str]:
        """Names of the models the server has; empty when it does not say."""
        try:
            return [model.id for model in (await self._openai.models.list()).data or []]
        except (openai.OpenAIError, AttributeError, TypeError, ValueError):
            return []

    def _given_up(self, failure: str) -> str:
        tried = f"{self._max_attempts} attempt{'s' if self._max_attempts > 1 else ''}"
        if failure.startswith("time-out"):
            return (
                f"The server at {self._url} did not finish a reply within {self._timeout_seconds:g} s ({tried}); "
                "raise llm.timeout_seconds or lower llm.concurrency."
            )
        if failure.startswith("no connection"):
            return (
                f"No language-model server answers at {self._url} ({failure}; {tried}); start one, for example with "
                "`make serve`, or point llm.base_url at one that runs."
            )
        return f"The server at {self._url} kept failing ({failure}; {tried}); see its log, or try later."


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """How long the server asks to wait: the Retry-After header, in seconds or as a date; 0 without one."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)
