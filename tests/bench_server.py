"""Effect of a server's settings on this machine: ``python -m tests.bench_server [LLM [ROUNDS]]``.

A part of make bench: dtypes, threads, compiled graphs, sequences per step, space for the prefix cache, and concurrent
calls. Chunked prefill is not among them: with it vLLM 0.32 on a CPU crashes when it reads a seeded request in chunks.
LLM is a choice of ``llm=`` that serves a model here. A bare client repeats recorded calls of the quickstart, on one
server after another, alternating ROUNDS times. Compare the ratios only: they hold for this machine and its load.
"""

from __future__ import annotations

import socket
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

from harness.call_log import read_calls
from harness.chat import ChatRequest, Message
from llms.client import Client
from llms.serve import read_settings
from llms.server.server import ensure_server, stop_server
from llms.server.server_settings import ALL, AUTO, ServerSettings
from llms.server.serving import resolve

CALLS = Path(__file__).parents[1] / "results" / "quickstart"
CALLS_OF_A_RUN = 6
AT_ONCE = {1: 6, 12: 48, 32: None, 64: None}
"""Concurrent calls -> number of calls; None for all of them."""
CACHE, CACHE_GIB = "VLLM_CPU_KVCACHE_SPACE", "1"
SEQUENCES, BLOCK = "16", "32"
"""For --max-num-seqs and --block-size."""
ROUNDS = 2


def main() -> None:
    """Measure and print."""
    requests = recorded_requests()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    llm = sys.argv[1] if len(sys.argv) > 1 else "smollm2_135m"
    usual = read_settings(llm, [f"port={port}"])
    threads = AUTO if usual.threads == ALL else ALL
    dtype = "float32" if resolve(usual).dtype == "bfloat16" else "bfloat16"
    turned = not usual.enforce_eager
    contenders = {
        "as configured": usual,
        f"threads {threads}": replace(usual, threads=threads),
        f"dtype {dtype}": replace(usual, dtype=dtype),
        f"enforce_eager {str(turned).lower()}": replace(usual, enforce_eager=turned),
        f"{SEQUENCES} sequences per step": with_argument(usual, "--max-num-seqs", SEQUENCES),
        f"blocks of {BLOCK} tokens": with_argument(usual, "--block-size", BLOCK),
        f"{CACHE_GIB} GiB for the prefix cache": replace(usual, environment=usual.environment | {CACHE: CACHE_GIB}),
    }
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    print(f"tokens/s of {resolve(usual).sentence()}", flush=True)
    rounds = [
        {name: tokens_per_second(settings, requests) for name, settings in contenders.items()} for _ in range(turns)
    ]
    print(f"{len(requests)} calls of the quickstart, median of {turns}; each over the first:")
    for position, at_once in enumerate(AT_ONCE):
        first = None
        for name in contenders:
            speed = statistics.median(played[name][position] for played in rounds)
            first = speed if first is None else first
            print(f"  {at_once} in flight, {name:27} {speed:6.1f} tokens/s ({speed / first:.2f})")


def with_argument(settings: ServerSettings, name: str, value: str) -> ServerSettings:
    """The settings with a further argument of vLLM's server."""
    return replace(settings, extra_args=(*settings.extra_args, name, value))


def recorded_requests() -> list[ChatRequest]:
    """The first calls of each run, those of the same number together."""
    files = sorted(CALLS.glob("*/llm_chat*/*/calls.jsonl"))
    rows = [read_calls(path)[:CALLS_OF_A_RUN] for path in files]
    together = [row for number in range(CALLS_OF_A_RUN) for row in (run[number] for run in rows)]
    return [
        ChatRequest(tuple(Message(**message) for message in row["messages"]), **row["sampling"]) for row in together
    ]


def tokens_per_second(settings: ServerSettings, requests: list[ChatRequest]) -> list[float]:
    """For each number of concurrent calls. After the first, prompts come from the server's cache."""
    url = ensure_server(settings)
    try:
        Client(url, settings.name).complete(requests[:4])
        speeds = []
        for at_once, how_many in AT_ONCE.items():
            clock = time.perf_counter()
            replies = Client(url, settings.name, concurrency=at_once).complete(requests[:how_many])
            seconds = time.perf_counter() - clock
            speeds.append(sum(reply.usage.completion_tokens for reply in replies) / seconds)
        return speeds
    finally:
        stop_server(settings)


if __name__ == "__main__":
    main()
