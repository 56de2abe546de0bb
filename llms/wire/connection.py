"""One attempt at one server with the ``openai`` package. Imported at the first call only."""

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

from harness.chat import LOOPBACK
from harness.errors import ModelError
from llms.wire.attempts import AttemptError
from llms.wire.counts import UncountedError, token_count
from llms.wire.dialect import Dialect, encodable
from llms.wire.keys import Key
from llms.wire.refusals import Asked, refusal
from llms.wire.replies import Answered, GarbledReplyError, read_completion
from llms.wire.server_errors import LONGEST_WORDS, Told, is_final, told_in

LONGEST_RETRY_AFTER_SECONDS = 120.0
ASIDE_SECONDS = 20.0
"""Time limit of optional requests: a token count, a list of models."""
AWAY = frozenset({502, 503, 504})
"""Statuses of a server or gateway behind which no model answers at the moment."""
UNCOUNTED = (
    "The server does not report token counts, and a cost that is not measured cannot be compared; "
    "use a server whose replies hold usage.prompt_tokens."
)


class Connection:
    """A connection pool to one server. Belongs to one event loop.

    Args:
        url: The server's base URL.
        model: Its name of the model.
        key: The API key.
        timeout_seconds: Time limit per attempt.
        dialect: Names of the request's fields.
        headers: Sent with every request.
    """

    def __init__(
        self, url: str, model: str, key: Key, timeout_seconds: float, dialect: Dialect, headers: Mapping[str, str]
    ) -> None:
        self._model, self._key, self._dialect = model, key, dialect
        self._timeout_seconds, self._asked = timeout_seconds, Asked(url, model, key.variable)
        parts = urlsplit(url)
        http = openai.DefaultAsyncHttpxClient(
            trust_env=parts.hostname not in LOOPBACK,  # the environment's proxies are not for this machine
            verify=parts.scheme == "https",  # loading certificates is slow, so only with TLS
            follow_redirects=False,  # a redirected POST arrives as a GET, if at all
        )
        self._openai = openai.AsyncOpenAI(
            api_key=key.value,
            base_url=url,
            timeout=timeout_seconds,
            max_retries=0,
            http_client=http,
            default_headers=headers,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._openai.close()

    async def attempt(self, body: Mapping[str, Any], attempt: int, start: float) -> Answered:
        """Send the request once. The time limit is for the whole reply, also if bytes keep arriving slowly.

        Args:
            body: The request.
            attempt: Its number among the attempts at this reply, from 1.
            start: When the first one was sent, as of ``time.perf_counter``.

        Raises:
            AttemptError: The attempt failed.
        """
        return await self._counted(await self._sent(body, attempt, start))

    async def _sent(self, body: Mapping[str, Any], attempt: int, start: float) -> Answered:
        sent = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await self._openai.chat.completions.with_raw_response.create(**body)
        except openai.APIStatusError as error:
            await self._refuse(error)
        except (openai.APITimeoutError, TimeoutError):
            raise AttemptError(f"time-out after {time.perf_counter() - sent:.1f} s", is_away=True) from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            garbled = type(cause).__name__ == "DecodingError"  # httpx's or httpx2's: there was a reply
            what = f"{'undecodable reply' if garbled else 'no connection'}: {cause}"
            raise AttemptError(what, is_away=not garbled) from None
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
        raise AttemptError(
            f"HTTP {status}", told.words, body, wait_seconds=wait_seconds, final=final, is_away=status in AWAY
        ) from None

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
