"""Joules of the processor, from the counters that Linux reads out of it (RAPL, powercap).

The counter of a package covers everything that runs on it meanwhile, this process or not: on a shared machine it is an
upper bound. Where there is no counter, or none that may be read (most kernels let only root), nothing is measured.
"""

from __future__ import annotations

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")

Reading = dict[str, tuple[int, int | None]]
"""Package or device -> its counter and the value at which it starts again from zero (None: never), in microjoules."""


def read_counters(folder: Path = POWERCAP) -> Reading | None:
    """The counters of all packages, or None where there are none to read.

    Only whole packages count (``intel-rapl:0``): their parts (``intel-rapl:0:0``) are contained in them.
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
    """What was used from one reading to the next, or None where either is missing or a package came or went.

    A counter that started again from zero is taken to have done so once: at 100 W that takes about three quarters of
    an hour. One that never does so and yet fell was set back: nobody knows what it counted before.
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
