"""What the ``llm`` group of the configuration builds. Building is cheap: no import, network or server before a call."""

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
    """A recorded model on a vLLM server of this machine, which the first call that is not on record starts if need be.

    Args:
        name: The group choice, for logs and folders; the model does not depend on it.
        recording: The run's ``calls.jsonl``.
        live: False plays back alone and never starts a server.
        replay: Another run's ``calls.jsonl`` to take replies from.
        timeout_seconds: See ``llms.client.Client``.
        max_attempts: The same.
        concurrency: The same.
        thinking_tags: The same.
        extra_args: See ``llms.server.server_settings.ServerSettings``; numbers are passed on as text.
        environment: The same; what is null is left out.
        threads: The same; one core is a number.
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
    base_url: str,
    model: str,
    recording: Path | str,
    live: bool = True,
    replay: Path | str | None = None,
    **client: Any,
) -> Recorder:
    """A recorded model behind any OpenAI-compatible URL.

    Args:
        name: The group choice, for logs and folders.
        base_url: Up to and with ``/v1``.
        model: As the server names it.
        recording: The run's ``calls.jsonl``.
        live: False plays back alone and never connects.
        replay: Another run's ``calls.jsonl`` to take replies from.
        client: See ``llms.client.Client``.

    Raises:
        SettingError: A setting is out of its range.
    """
    connection = Client(base_url, model, **client)
    return Recorder(lambda: connection, recording, replay, live)


def person(*, name: str, recording: Path | str, live: bool = True, replay: Path | str | None = None) -> Recorder:
    """The person at the terminal, recorded like a model: what was typed is on record with its seconds.

    Args:
        name: What logs call the person.
        recording: The run's ``calls.jsonl``.
        live: False plays back alone and never asks.
        replay: Another run's ``calls.jsonl`` to take answers from.
    """
    return Recorder(lambda: Person(name), recording, replay, live)
