"""Joules of the processor, from its counters in Linux (RAPL, powercap).

A package's counter covers all processes on it: on a shared machine it is an upper bound.
If there is no readable counter (most kernels let only root read it), nothing is measured.
"""

from __future__ import annotations

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")

Reading = dict[str, tuple[int, int | None]]
"""Package or device -> its counter and the value at which it wraps to zero (None: never), in microjoules."""


def read_counters(folder: Path = POWERCAP) -> Reading | None:
    """The counters of all packages, or None if none can be read.

    Only whole packages count (``intel-rapl:0``): they contain their parts (``intel-rapl:0:0``).
    """
    reading: Reading = {}
    for package in sorted(folder.glob("intel-rapl:*")):
        if package.name.count(":") != 1:
            continue
        try:
            counter = int((package / "energy_uj").read_text())
            reading[package.name] = counter, int((package / "max_energy_range_uj").read_text())
        except (OSError, ValueError):
            continue
    return reading or None


def why_no_counters(folder: Path = POWERCAP) -> str:
    """Why ``read_counters`` finds nothing."""
    if any(folder.glob("intel-rapl:*/energy_uj")):
        return f"the counters in {folder} may not be read by this user"
    return f"there are no counters in {folder}"


def joules_between(before: Reading | None, after: Reading | None) -> float | None:
    """Joules used between two readings; None if either is missing or a package appeared or disappeared.

    A counter is assumed to wrap at most once: at 100 W that takes about 45 minutes.
    A decrease of a counter that never wraps means that it was reset, so its use is unknown.
    """
    if before is None or after is None or before.keys() != after.keys():
        return None
    spent = 0
    for package, (counter, limit) in after.items():
        step = counter - before[package][0]
        if step < 0 and limit is None:
            return None
        spent += step if step >= 0 else step + (limit or 0)
    return spent / 1e6
