"""Probes between an optimizer and a benchmark: the same task disguised, to measure the effect of memory.

A probe changes what an optimizer is told and how its configurations are read, never the benchmark itself: the
evaluated configuration is recorded as ``evaluated``. It is built with ``(benchmark, family, seed)`` and its own
settings, and is a benchmark itself. Probes are in ``benchmarks/probes/probe.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.values import TARGET

if TYPE_CHECKING:
    from harness.problem import Benchmark

PROBED = "benchmarks.probes.probe.probed"
"""Class of all files of conf/probe."""
ORIGINAL: Final = "original"
"""The values of its settings that leave the benchmark unchanged."""


@dataclass(frozen=True, slots=True)
class Family:
    """The tasks of a benchmark's family.

    Attributes:
        tasks: Their names, the benchmark's own included; empty if the family cannot list them.
        build: Builds the benchmark of one of them, with the other settings of this run.
    """

    tasks: tuple[str, ...]
    build: Callable[[str], Benchmark]


def leaves_as_is(probe: Mapping[str, Any]) -> bool:
    """Whether a recorded or resolved probe is that of probe=none, i.e. changes nothing."""
    return probe.get(TARGET) == PROBED and all(value == ORIGINAL for key, value in probe.items() if key != TARGET)
