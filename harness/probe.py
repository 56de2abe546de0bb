"""What may stand between an optimizer and a benchmark: the same task disguised, to see what memory is worth.

A probe changes what an optimizer is told and how its configurations are read, never the benchmark itself: what was
really evaluated is recorded as ``evaluated``. It is built with ``(benchmark, family, seed)`` and its own settings, and
is a benchmark itself. Probes live in ``benchmarks/probes/probe.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.problem import Benchmark


@dataclass(frozen=True, slots=True)
class Family:
    """The tasks beside a benchmark's own.

    Attributes:
        tasks: Their names, the benchmark's own among them; empty where the family cannot list them.
        build: The benchmark of one of them, with the settings of this run but for the task.
    """

    tasks: tuple[str, ...]
    build: Callable[[str], Benchmark]


def no_probe(benchmark: Benchmark, family: Family, seed: int) -> Benchmark:
    """probe=none: the benchmark as it is."""
    return benchmark
