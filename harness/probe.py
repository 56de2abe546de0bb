"""What may stand between an optimizer and a benchmark: the same task disguised, to see what memory is worth.

A probe changes what an optimizer is told and how its configurations are read, never the benchmark itself: what was
really evaluated is recorded as ``evaluated``. It is built with ``(benchmark, family, seed)`` and its own settings, and
is a benchmark itself. Probes live in ``benchmarks/probes/probe.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.values import TARGET

if TYPE_CHECKING:
    from harness.problem import Benchmark

PROBED = "benchmarks.probes.probe.probed"
"""What every file of conf/probe builds."""
ORIGINAL: Final = "original"
"""The value of each of its settings that leaves the benchmark as it is."""


@dataclass(frozen=True, slots=True)
class Family:
    """The tasks beside a benchmark's own.

    Attributes:
        tasks: Their names, the benchmark's own among them; empty where the family cannot list them.
        build: The benchmark of one of them, with the settings of this run but for the task.
    """

    tasks: tuple[str, ...]
    build: Callable[[str], Benchmark]


def leaves_as_is(probe: Mapping[str, Any]) -> bool:
    """Whether a recorded or resolved configuration of a probe is that of probe=none: no probe at all."""
    return probe.get(TARGET) == PROBED and all(value == ORIGINAL for key, value in probe.items() if key != TARGET)
