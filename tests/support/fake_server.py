"""A scripted OpenAI-compatible server on a local port. It fails the test when its script runs out."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass
class Answer:
    """The response to one POST."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    pause_seconds: float = 0.0  # between one byte of the body and the next


Script = Answer | Callable[[dict[str, Any]], Answer]


def reply(text: str | None = "hello", finish: str = "stop", cached: int | None = None, **usage: int) -> Answer:
    """A chat completion as sent by vLLM."""
    tokens: dict[str, Any] = {"prompt_tokens": 10, "completion_tokens": 3, **usage}
    if cached is not None:
        tokens["prompt_tokens_details"] = {"cached_tokens": cached}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return Answer(json.dumps({"choices": [choice], "usage": tokens}).encode())


def thought(
    text: str | None, logprobs: list[str] | None = None, reasoning_tokens: int | None = None, **fields: Any
) -> Answer:
    """A chat completion of a reasoning model: fields of the message, the reply's tokens, the server's count."""
    whole = json.loads(reply(text, fields.pop("finish", "stop"), completion_tokens=50).body)
    whole["choices"][0]["message"] |= fields
    if logprobs is not None:
        content = [{"token": t, "logprob": -0.1, "top_logprobs": [{"token": t, "logprob": -0.1}]} for t in logprobs]
        whole["choices"][0]["logprobs"] = {"content": content}
    if reasoning_tokens is not None:
        whole["usage"]["completion_tokens_details"] = {"reasoning_tokens": reasoning_tokens}
    return Answer(json.dumps(whole).encode())


def failure(status: int, message: str = "no", **headers: str) -> Answer:
    """An error as sent by vLLM."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(json.dumps({"error": {"message": message, "code": status}}).encode(), status, named)


class FakeServer:
    """Plays its script, one response per POST in the order of arrival, and records the requests.

    Attributes:
        requests: Bodies received.
        paths: Their paths.
        keys: Their Authorization headers.
        sessions: Their X-Session-ID headers.
    """

    def __init__(
        self, script: Iterable[Script], models: tuple[str, ...] = ("tiny",), details: dict[str, Any] | None = None
    ) -> None:
        self._script, self._lock = list(script), threading.Lock()
        self._models = [{"id": model, **(details or {})} for model in models]
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.sessions: list[str | None] = []
        self.paths: list[str] = []
        self.ran_out = False
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> FakeServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        if kind is None:
            assert not self.ran_out, "the fake server was asked more often than its script says"
            assert not self._script, f"{len(self._script)} answers of the fake server's script were never asked for"

    def _next(self, path: str, body: dict[str, Any], key: str | None) -> Answer | None:
        with self._lock:
            self.requests.append(body)
            self.paths.append(path)
            self.keys.append(key)
            if not self._script:
                self.ran_out = True
                return failure(400, "the script ran out")
            step = self._script.pop(0)
        return step if isinstance(step, Answer) else step(body)

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.path == "/v1/models"
                self._send(Answer(json.dumps({"object": "list", "data": server._models}).encode()))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.sessions.append(self.headers.get("X-Session-ID"))
                answer = server._next(self.path, body, self.headers.get("Authorization"))
                if answer is None:
                    self.close_connection = True
                else:
                    self._send(answer)

            def _send(self, answer: Answer) -> None:
                time.sleep(answer.delay_seconds)
                try:
                    self.send_response(answer.status)
                    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    size = 1 if answer.pause_seconds else len(answer.body)
                    for start in range(0, len(answer.body), size or 1):
                        self.wfile.write(answer.body[start : start + size])
                        time.sleep(answer.pause_seconds)
                except ConnectionError:
                    pass  # the client gave up waiting

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class AnsweringServer(FakeServer):
    """Answers every request by one function of its body, until it is killed.

    Attributes:
        answered: Number of replies that were sent.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], Answer]) -> None:
        super().__init__([])
        self._answer, self.answered, self._is_dead = answer, 0, False

    def kill(self) -> None:
        """Refuse connections from now on, and drop those that are open."""
        self._is_dead = True
        self._http.shutdown()
        self._http.server_close()

    def __exit__(self, *_: object) -> None:
        if not self._is_dead:
            self.kill()

    def _next(self, path: str, body: dict[str, Any], key: str | None) -> Answer | None:
        self.requests.append(body)
        answer = self._answer(body)
        time.sleep(answer.delay_seconds)
        if self._is_dead:
            return None
        self.answered += 1
        return Answer(answer.body, answer.status, answer.headers)
