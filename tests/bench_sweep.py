"""Cost of sweeps: ``python -m tests.bench_sweep [RUNS [threads=all ...]]``, or make bench. No assertions.

RUNS runs of random search with 100 proposals (0 leaves them out), the same command again, ``harness.status`` over them,
and their analysis (``tests.bench_analysis``). Then 32 runs with a language model, beside a bare client that sends the
recorded requests of the same runs again, as many at a time, on a server that is started anew for each of the two.
Further arguments are settings of ``llm=smollm2_135m`` for both.
"""

from __future__ import annotations

import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from analysis.runs.calls import Span, read_spans, waited_seconds
from harness.call_log import read_calls
from harness.chat import ChatRequest, Message
from llms.client import Client
from llms.serve import read_settings
from llms.server.server import ensure_server, stop_server
from llms.server.server_settings import ServerSettings
from tests import bench_analysis

RUNS, PROPOSALS = 10_000, 100
MODEL_RUNS, MODEL_PROPOSALS = 32, 6
ROUNDS = 2
LLM = "smollm2_135m"


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    if runs:
        with tempfile.TemporaryDirectory() as folder:
            classical(Path(folder), runs)
            bench_analysis.measure(Path(folder) / "runs/big")
    rounds = [model_round(sys.argv[2:]) for _ in range(ROUNDS)]
    print(f"{MODEL_RUNS} runs of llm_chat with {MODEL_PROPOSALS} proposals, llm={LLM}, median of {ROUNDS} rounds:")
    for number, name in enumerate(("the command, server already up", "a bare client, the same requests")):
        seconds, speed = (statistics.median(each[number][part] for each in rounds) for part in (0, 1))
        over = [statistics.median(each[number][part] / each[1][part] for each in rounds) for part in (0, 1)]
        print(f"  {name:33} {seconds:6.1f} s ({over[0]:.2f}), {speed:6.1f} tokens/s within calls ({over[1]:.2f})")


def classical(folder: Path, runs: int) -> None:
    """A sweep of random search, the same again, and its status."""
    sweep = [
        "-m", "harness.run", "-m", "name=big", "optimizer=random_search", f"budget.proposals={PROPOSALS}",
        f"seed=range({runs})", "tracker=none",
    ]  # fmt: skip
    for name, arguments in (
        (f"{runs} runs of {PROPOSALS} proposals", sweep),
        ("the same again, all complete", sweep),
        ("status over them", ["-m", "harness.status", "runs/big"]),
    ):
        clock = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        print(f"{name}: {time.perf_counter() - clock:.1f} s (python {shlex.join(arguments)})", flush=True)


def model_round(changed: Sequence[str]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Seconds, and completion tokens per second within calls, of the command and of the bare client."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = read_settings(LLM, [f"port={port}", *changed])
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "harness.run", "-m", "name=model", "optimizer=llm_chat", f"llm={LLM}",
            f"llm.port={port}", f"budget.proposals={MODEL_PROPOSALS}", f"seed=range({MODEL_RUNS})", "tracker=none",
            *(f"llm.{each}" for each in changed),
        ]  # fmt: skip
        warm(settings)
        clock = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - clock
        stop_server(settings)
        files = sorted(Path(folder).glob("runs/model/*/*/*/calls.jsonl"))
        rows = [read_calls(path) for path in files]
        tokens = sum(row["usage"]["completion_tokens"] for run in rows for row in run)
        spans = [span for path in files for span in read_spans(path)]
    together = [row for number in range(MODEL_PROPOSALS) for row in (run[number] for run in rows if len(run) > number)]
    return (seconds, tokens / waited_seconds(spans)), bare(settings, together)


def bare(settings: ServerSettings, rows: Sequence[dict[str, object]]) -> tuple[float, float]:
    """The same for a client that sends the recorded requests, with as many in flight."""
    requests = [request_of(row) for row in rows]
    url = warm(settings)
    clock = time.perf_counter()
    replies = Client(url, settings.name, concurrency=MODEL_RUNS).complete(requests)
    seconds = time.perf_counter() - clock
    stop_server(settings)
    spans: list[Span] = [(0.0, seconds)]
    return seconds, sum(reply.usage.completion_tokens for reply in replies) / waited_seconds(spans)


def warm(settings: ServerSettings) -> str:
    """The URL of a new server that has answered once."""
    stop_server(settings)
    url = ensure_server(settings)
    Client(url, settings.name).complete([ChatRequest((Message("user", "Say yes."),), max_tokens=4)])
    return url


def request_of(row: dict[str, object]) -> ChatRequest:
    """The request of a recorded call."""
    messages, sampling = row["messages"], row["sampling"]
    assert isinstance(messages, list)
    assert isinstance(sampling, dict)
    return ChatRequest(tuple(Message(**message) for message in messages), **sampling)


if __name__ == "__main__":
    main()
