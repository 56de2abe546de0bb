"""A vLLM server's own counters while a command ran: read from its ``/metrics`` before and after.

A meter of ``harness.sweep_record``. The counters include all clients of the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.chat import LOOPBACK
from harness.errors import ServerError
from llms.server.server_settings import HOST

NAMES = {
    "prompt_tokens": "vllm:prompt_tokens_total",
    "generation_tokens": "vllm:generation_tokens_total",
    "prefix_cache_queries": "vllm:prefix_cache_queries_total",
    "prefix_cache_hits": "vllm:prefix_cache_hits_total",
    "requests": "vllm:request_success_total",
}
"""Our name -> vLLM's, as of 0.32. The two of the cache count tokens; hits are the cached tokens of replies. A request
whose client disconnected is not counted as a request, but its tokens are."""
CREATED = "vllm:prompt_tokens_created"
"""Start of the counting, in seconds since 1970."""

ANSWER_SECONDS = 20.0  # a server busy on every core may take a while
FAR_ANSWER_SECONDS = 5.0  # one on another machine may not be vLLM


@dataclass(frozen=True, slots=True)
class Counters:
    """One reading.

    Attributes:
        values: By our name, summed over the server's engines.
        since: Start of the counting; None if not reported.
    """

    values: dict[str, int]
    since: float | None = None


NOTHING = Counters(dict.fromkeys(NAMES, 0))
"""The counters of a server that does not run yet."""


class ServerMeter:
    """The difference of the counters of the server that the ``llm`` group names, or of several together.

    A server that does not run at the start counts from zero, as a run will start it. A server that was restarted
    meanwhile lost its counts: null, with the reason.
    """

    def __init__(self) -> None:
        self._urls: list[str] = []
        self._model: Any = None
        self._before: list[Counters | ServerError] = []

    def start(self, config: Mapping[str, Any]) -> None:
        """Read the counters if a server with counters runs."""
        llm = config.get("llm") or {}
        self._urls, self._model = base_urls(llm), llm.get("served_name") or llm.get("model")
        self._before = [_read(url) for url in self._urls]

    def stop(self, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
        """``url``, ``model``, ``counters`` (None: not measured) and ``reason`` (why); None if no run used a model.

        With several servers ``url`` holds all URLs with spaces between, and counters are sums; None if one lacks them.
        """
        if not self._urls or all(run.get("llm") is None for run in runs):
            return None
        found = [
            difference(before, _read(url, anybody=False)) for url, before in zip(self._urls, self._before, strict=True)
        ]
        counted = [counters for counters, _ in found if counters is not None]
        whole = {name: sum(each[name] for each in counted) for name in NAMES} if len(counted) == len(found) else None
        reasons = {self._where(url) + reason for url, (_, reason) in zip(self._urls, found, strict=True) if reason}
        reason = " ".join(sorted(reasons)) or None
        return {"url": " ".join(self._urls), "model": self._model, "counters": whole, "reason": reason}

    def _where(self, url: str) -> str:
        return f"{url}: " if len(self._urls) > 1 else ""


def base_urls(llm: Mapping[str, Any]) -> list[str]:
    """Base URLs of an ``llm`` group's model; none if it is replayed or not a server."""
    if llm.get("live") is False:
        return []
    if llm.get("port") is not None:
        return [f"http://{HOST}:{llm['port']}/v1"]
    given = llm.get("base_url")
    urls = [] if given is None else [given] if isinstance(given, str) else given
    return [str(url).rstrip("/") for url in urls]


def difference(
    before: Counters | ServerError, after: Counters | ServerError
) -> tuple[dict[str, int] | None, str | None]:
    """The counts between two readings; or None, and the reason."""
    for reading in (before, after):
        if isinstance(reading, ServerError):
            return None, str(reading)
    assert isinstance(before, Counters)
    assert isinstance(after, Counters)
    counted = {name: after.values[name] - before.values[name] for name in NAMES}
    restarted = before.since is not None and before.since != after.since
    if restarted or min(counted.values()) < 0:
        return None, "The server was restarted meanwhile."
    return counted, None


def read_counters(url: str) -> Counters | None:
    """The counters of the vLLM server behind an OpenAI-compatible base URL; None if no server listens there.

    Raises:
        ServerError: The server there has no such counters or does not answer.
    """
    if urlsplit(url).scheme == "https":
        raise ServerError("Counters are read over plain HTTP only; a server with HTTPS is most likely a provider.")
    import http.client
    import urllib.error

    from llms.wire.fetch import get

    page = f"{url.removesuffix('/v1')}/metrics"
    try:
        seconds = ANSWER_SECONDS if urlsplit(url).hostname in LOOPBACK else FAR_ANSWER_SECONDS
        return parse_counters(get(page, seconds).decode())
    except urllib.error.HTTPError as error:
        raise ServerError(f"{page} cannot be read (HTTP {error.code}).") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ConnectionRefusedError):
            return None
        raise ServerError(f"{page} cannot be read ({reason}).") from None


def parse_counters(text: str) -> Counters:
    """The counters in a page of Prometheus' text format, added up over a server's engines and ways to end.

    Raises:
        ValueError: It is not such a page, or a counter is missing.
    """
    from prometheus_client.parser import text_string_to_metric_families

    names = {theirs: ours for ours, theirs in NAMES.items()}
    values: dict[str, int] = {}
    since = None
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in names:
                name = names[sample.name]
                values[name] = values.get(name, 0) + int(sample.value)
            elif sample.name == CREATED:
                since = max(since or 0.0, sample.value)
    missing = [NAMES[name] for name in NAMES if name not in values]
    if missing:
        raise ValueError(f"no {missing[0]}")
    return Counters(values, since)


def _read(url: str, anybody: bool = True) -> Counters | ServerError:
    try:
        found = read_counters(url)
    except ServerError as error:
        return error
    if found is None and not anybody:
        return ServerError("The server had ended before it was asked.")
    return NOTHING if found is None else found
