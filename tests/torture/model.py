"""A language-model server for torture: the same request gets the same reply, and each one is charged to a ledger.

python -m tests.torture.model PORT LEDGER
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAME = "tiny"
LONGEST_SECONDS = 0.12


def key_of(messages: Any, sampling: Mapping[str, Any]) -> str:
    """What names a request in the ledger; the same from the body of a request and from a line of calls.jsonl."""
    parts = [messages, *(sampling.get(name) for name in ("seed", "temperature", "max_tokens"))]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def reply_to(key: str) -> tuple[str, float]:
    """A text with a configuration of toy.branin, some of them invalid, and the seconds that writing it takes."""
    draw = random.Random(key)
    params: dict[str, Any] = {"x1": round(draw.uniform(-6, 11), 3), "x2": round(draw.uniform(0, 15), 3)}
    params |= {"surface": draw.choice(["smooth", "rough", "rough"])}
    if params["surface"] == "rough":
        params |= {"bumps": draw.randint(0, 6)}
    text = json.dumps(params)
    return draw.choice([text, f"Here it is: {text}", text[: draw.randint(1, len(text))]]), draw.uniform(0.0, 1.0)


class Server(ThreadingHTTPServer):
    """The server.

    Args:
        port: On 127.0.0.1.
        ledger: One line per request that is worked on, flushed before the reply is sent.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, ledger: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.ledger = ledger.open("ab", buffering=0)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client was killed
            super().handle()

    def do_GET(self) -> None:
        self._send(200, {"object": "list", "data": [{"id": NAME}]} if self.path == "/v1/models" else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = key_of(body["messages"], body)
        self.server.ledger.write(f"{key}\n".encode())
        text, share = reply_to(key)
        time.sleep(share * LONGEST_SECONDS)
        usage = {"prompt_tokens": len(json.dumps(body["messages"])) // 4, "completion_tokens": len(text) // 4 + 1}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        self._send(200, {"choices": [choice], "usage": usage})

    def _send(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    Server(int(sys.argv[1]), Path(sys.argv[2])).serve_forever()
