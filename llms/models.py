"""Builders of the ``llm`` group. Building is cheap: imports, network and server wait for the first call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.signature import takes_also
from llms.client import Client
from llms.person import Person
from llms.recorder import Recorder
from llms.server.running import served_row
from llms.server.server import ensure_server
from llms.server.server_settings import ServerSettings, server_settings
from llms.wire.thinking import TAGS


@takes_also(ServerSettings)
def vllm(  # noqa: PLR0913 (each one is a setting)
    *,
    name: str,
    recording: Path | str,
    live: bool = True,
    replay: Path | str | None = None,
    timeout_seconds: float = 300.0,
    max_attempts: int = 5,
    concurrency: int = 64,
    thinking_tags: Sequence[str] | None = TAGS,
    extra_args: Sequence[str | int | float] | None = None,
    environment: Mapping[str, str | int | float | bool | None] | None = None,
    threads: str | int | None = None,
    **server: Any,
) -> Recorder:
    """A recorded model on a local vLLM server, which the first unrecorded call starts if needed.

    Args:
        name: The group choice, for logs and folders; it does not affect the model.
        recording: The run's ``calls.jsonl``.
        live: False only replays and never starts a server.
        replay: Another run's ``calls.jsonl`` to take replies from.
        timeout_seconds: See ``llms.client.Client``.
        max_attempts: The same.
        concurrency: The same.
        thinking_tags: The same.
        extra_args: See ``llms.server.server_settings.ServerSettings``; numbers are passed on as text.
        environment: The same; null values are left out.
        threads: The same; a single core may be given as a number.
        server: See ``llms.server.server_settings.ServerSettings``.

    Raises:
        SettingError: A setting is out of its range.
    """
    settings = server_settings({**server, "extra_args": extra_args, "environment": environment, "threads": threads})

    def client(serving: Mapping[str, Any] | None) -> Client:
        return Client(
            settings.url,
            settings.name,
            timeout_seconds=timeout_seconds,
            max_attempts=max_attempts,
            concurrency=concurrency,
            thinking_field="thinking_token_budget" if settings.reasoning_parser else None,
            thinking_tags=thinking_tags,
            tokenize_url=f"{settings.url.removesuffix('/v1')}/tokenize",
            serving=serving,
        )

    def connect() -> Client:
        ensure_server(settings)
        return client(served_row(settings))

    client(None)  # refuses bad settings now, not at the first call
    return Recorder(connect, recording, replay, live)


@takes_also(Client)
def endpoint(
    *,
    name: str,
    base_url: str | Sequence[str],
    model: str,
    recording: Path | str,
    live: bool = True,
    replay: Path | str | None = None,
    **client: Any,
) -> Recorder:
    """A recorded model behind any OpenAI-compatible URL, or behind several that serve the same model.

    A run stays with one of several servers, where its prefix cache is warm, and moves on when that one is away.

    Args:
        name: The group choice, for logs and folders.
        base_url: The URL, including ``/v1``, or a list of URLs.
        model: The server's name of the model.
        recording: The run's ``calls.jsonl``.
        live: False only replays and never connects.
        replay: Another run's ``calls.jsonl`` to take replies from.
        client: See ``llms.client.Client``.

    Raises:
        SettingError: A setting is out of its range.
    """
    run = "/".join(Path(recording).parts[-5:-1])  # <experiment>/<benchmark>.<task>/<method>/<seed> on every machine
    connection = Client(base_url, model, **client).of_run(run)
    return Recorder(lambda: connection, recording, replay, live)


def person(*, name: str, recording: Path | str, live: bool = True, replay: Path | str | None = None) -> Recorder:
    """The person at the terminal, recorded like a model: every answer is recorded with its seconds.

    Args:
        name: The person's name in logs.
        recording: The run's ``calls.jsonl``.
        live: False only replays and never asks.
        replay: Another run's ``calls.jsonl`` to take answers from.
    """
    return Recorder(lambda: Person(name), recording, replay, live)
