"""Resolve a server's settings for this machine, with the reasons."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.plumbing import THREAD_NAMES
from llms.server.processor import (
    Processor,
    choose_all_threads,
    choose_dtype,
    choose_threads,
    runs_on_cpu,
    this_processor,
)
from llms.server.server_settings import ALL, AUTO, DTYPES, ServerSettings, read_arguments

THREADS = "VLLM_CPU_OMP_THREADS_BIND"
LIMITS_OF_A_JOB = re.compile(r"_(NUM|MAXIMUM)_THREADS$")
"""Thread limits that launchers set per job (joblib: one thread with as many jobs as cores). A server that a job
starts serves all jobs, so it must not inherit them."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Resolved settings of a server on this machine.

    Attributes:
        settings: As configured.
        dtype: Of the computation, by vLLM's name.
        threads: The cores that compute, in vLLM's notation; None on GPUs.
        why: Reasons for automatic choices; empty if there were none.
        environment: Variables added to the inherited ones, which are all except a job's thread limits.
    """

    settings: ServerSettings
    dtype: str
    threads: str | None
    why: str
    environment: dict[str, str]

    def whole_environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The server's complete environment."""
        kept = {name: value for name, value in inherited.items() if not LIMITS_OF_A_JOB.search(name)}
        return kept | self.environment

    def row(self) -> dict[str, Any]:
        """The part of a call's record that describes the server."""
        return {"dtype": self.dtype, "threads": self.threads, "why": self.why}

    def sentence(self) -> str:
        """One sentence for the terminal."""
        threads = "" if self.threads is None else f", threads {self.threads}"
        why = f" ({self.why})" if self.why else ""
        return f"{self.settings.name} at {self.settings.url}: dtype {self.dtype}{threads}{why}"


def resolve(
    settings: ServerSettings, inherited: Mapping[str, str] = os.environ, processor: Processor | None = None
) -> Serving:
    """Resolve automatic settings. A given dtype or variable has precedence.

    Args:
        settings: As configured.
        inherited: The environment that the server is started in.
        processor: The processor; None for this machine's, which is not used if vLLM computes on GPUs.
    """
    if processor is None and runs_on_cpu():
        processor = this_processor()
    argument = read_arguments(settings.extra_args).get("dtype")  # for vLLM it has precedence over llm.dtype
    dtype, reasons = argument or settings.dtype, []
    if processor is None:
        return Serving(settings, DTYPES.get(dtype, dtype), None, "", settings.environment)
    if dtype == AUTO and argument is None:
        dtype, reason = choose_dtype(processor)
        reasons.append(reason)
    environment = ({} if settings.threads in (AUTO, ALL) else {THREADS: settings.threads}) | settings.environment
    inherited_threads = {name: inherited[name] for name in THREAD_NAMES if name in inherited and name[:5] == "VLLM_"}
    if not {*environment, *inherited_threads}.intersection(THREAD_NAMES):
        chosen, reason = (choose_all_threads if settings.threads == ALL else choose_threads)(processor)
        environment = chosen | environment
        reasons.append(reason)
    threads = environment.get(THREADS, inherited_threads.get(THREADS, AUTO))
    return Serving(settings, DTYPES.get(dtype, dtype), threads, "; ".join(reasons), environment)
