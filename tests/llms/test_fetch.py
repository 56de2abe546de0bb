from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from harness.errors import ServerError
from llms.server.counters import read_counters
from llms.wire import health
from llms.wire.fetch import get


@contextmanager
def dripping(beginning: bytes):
    """The URL of a server that sends a byte now and then, and never ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            connection.sendall(beginning)
            while not over.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        over.set()


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_the_limit_is_for_the_whole_page(beginning):
    with dripping(beginning) as url:
        start = time.perf_counter()
        with pytest.raises(TimeoutError):
            get(url, 0.3)
        assert time.perf_counter() - start < 60  # it would drip for ever


def test_who_asks_for_models_or_counters_gets_a_sentence(monkeypatch):
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("llms.server.counters.ANSWER_SECONDS", 0.3)
    for ask in (health.look_up_models, read_counters):
        with dripping(b"HTTP/1.1 200 OK\r\n\r\n") as url, pytest.raises(ServerError):
            ask(url)


@pytest.mark.parametrize("body", ["[" * 100_000, '{"data": [3]}', '{"data": {"a": 1}}', "[]", '{"data": [[]]}', "{}"])
def test_models_that_are_none(monkeypatch, body):
    monkeypatch.setattr(health, "get", lambda url, seconds: body.encode())
    with pytest.raises(ServerError, match="not a language-model server"):
        health.look_up_models("http://127.0.0.1:9/v1")
