"""Settings that change no reply and no score: recorded, but not part of a run's identity. The only list of them.

Paths, timeouts, and what changes only speed: cores, memory for the cache, concurrent requests.
Settings that could change a reply are not listed, such as ``dtype``, ``enforce_eager`` (compiled code rounds
differently), the number of GPUs, or a seed of the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

SETTINGS = frozenset(
    {
        "api_key_env",
        "backoff_seconds",
        "base_url",
        "concurrency",
        "gpu_memory_utilization",
        "live",
        "max_attempts",
        "port",
        "recording",
        "replay",
        "start_timeout_seconds",
        "threads",
        "timeout_seconds",
    }
)
"""Settings of a model that decide where its replies come from and how fast, never their content."""

WHEREABOUTS = frozenset({"cache", "folder"})
"""Settings of a benchmark that decide where its files are, never what it measures."""

THREAD_NAMES = (
    "VLLM_CPU_OMP_THREADS_BIND",
    "VLLM_CPU_NUM_OF_RESERVED_CPU",
    "OMP_NUM_THREADS",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
)
"""Variables that concern a server's threads."""

NO_COST = re.compile(
    r"^(HF|HUGGINGFACE|TRANSFORMERS)_|^(TMPDIR$|XDG_)|_(proxy|PROXY)$|(?<![A-Z])LOG(S|GING)?(?![A-Z])|USAGE_STATS"
    r"|DO_NOT_TRACK|TELEMETRY|PROGRESS_BAR|_(ROOT|CACHE|DIR)$|API_KEY|_PORT$|HOST_IP"
)
"""Variables that change neither a reply nor its cost: paths of a server's files and messages."""

_SPEED = re.compile(
    r"THREADS|AFFINITY|KVCACHE_SPACE|NUM_OF_RESERVED_CPU|^(OMP|KMP|GOMP|MALLOC)_|_VISIBLE_DEVICES$|TIMEOUT"
)
"""Variables that change only speed: cores, memory, timeouts, choice among equal devices."""

ARGUMENTS = frozenset(
    {
        "api-server-count",
        "disable-access-log-for-endpoints",
        "disable-fastapi-docs",
        "disable-log-requests",
        "disable-log-stats",
        "disable-uvicorn-access-log",
        "download-dir",
        "enable-chunked-prefill",
        "enable-log-requests",
        "gpu-memory-utilization",
        "host",
        "kv-cache-memory-bytes",
        "max-log-len",
        "max-num-batched-tokens",
        "max-num-seqs",
        "no-enable-chunked-prefill",
        "no-enable-log-requests",
        "num-gpu-blocks-override",
        "port",
        "swap-space",
        "uvicorn-log-level",
    }
)
"""Arguments of vLLM's server that change no reply."""

NOTHING = object()
"""Remainder of a setting that is fully listed here."""


def variable_changes_nothing(name: str) -> bool:
    """Whether an environment variable of a server changes none of its replies."""
    return bool(NO_COST.search(name) or _SPEED.search(name))


def without_plumbing(setting: str, value: Any) -> Any:
    """A model's setting without the parts that change no reply; ``NOTHING`` if none are left.

    Args:
        setting: Name below the model's configuration, dotted if nested: ``environment.X``.
        value: Any.
    """
    name, _, inner = setting.partition(".")
    if name in SETTINGS or (name == "environment" and inner and variable_changes_nothing(inner)):
        return NOTHING
    if setting == "environment" and isinstance(value, Mapping | None):
        given = {key: _text(one) for key, one in (value or {}).items() if one is not None}  # null removes a variable
        return {key: one for key, one in given.items() if not variable_changes_nothing(str(key))} or NOTHING
    if setting == "extra_args" and isinstance(value, list | tuple | None):
        return _arguments(value or ()) or NOTHING
    return value


def _arguments(arguments: Sequence[Any]) -> list[Any]:
    """Arguments of a command line, each with its values, without those that change no reply."""
    kept, keeps = [], True
    for argument in arguments:
        if str(argument).startswith("--"):
            keeps = str(argument)[2:].partition("=")[0].replace("_", "-") not in ARGUMENTS
        if keeps:
            kept.append(_text(argument))
    return kept


def _text(value: Any) -> Any:
    """A value passed to a server as text: 1 and "1" are the same, 1.0 is another text."""
    text = str(value)
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text) else text
