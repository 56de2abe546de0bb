"""Energy of a command in joules, from counters read at its start, at intervals (counters wrap), and at its end.

A meter of ``harness.sweep_record``. Energy without a counter is not estimated; packages that estimate it (codecarbon,
from a processor's rated power) would mix estimates with measurements.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.meters.nvml import Gpus, NotMeasuredError
from harness.meters.processor_energy import POWERCAP, Reading, joules_between, read_counters, why_no_counters

LOST = "a counter came, went or was set back meanwhile"


class RunningJoules:
    """Sum of the energy between successive readings.

    Attributes:
        joules: Total so far; None once a step was not measured.
    """

    def __init__(self, first: Reading | None) -> None:
        self._last = first
        self.joules = None if first is None else 0.0

    def add(self, reading: Reading | None) -> None:
        """Add the next reading."""
        step = joules_between(self._last, reading)
        self.joules = None if self.joules is None or step is None else self.joules + step
        self._last = reading


class EnergyMeter:
    """Joules of this machine's processors and of its NVIDIA devices, including all other processes on them.

    Args:
        powercap: Folder of the processors' counters in Linux.
        interval_seconds: Time between readings; must be below the shortest time in which a counter wraps (a few
            minutes at 300 W).
    """

    def __init__(self, powercap: Path | str = POWERCAP, interval_seconds: float = 10.0) -> None:
        self._powercap, self._interval_seconds = Path(powercap), interval_seconds
        self._gpus: Gpus | None = None
        self._reasons: dict[str, str] = {}

    def start(self, config: Mapping[str, Any]) -> None:
        """Take the first reading and start periodic readings."""
        self._cpu = RunningJoules(read_counters(self._powercap))
        if self._cpu.joules is None:
            self._reasons["cpu_joules"] = why_no_counters(self._powercap)
        try:
            self._gpus = Gpus()
        except NotMeasuredError as error:
            self._reasons["gpu_joules"] = str(error)
        self._gpu = RunningJoules(self._read_gpus())
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="energy", daemon=True)
        self._sampler.start()

    def stop(self, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Take the last reading: ``cpu_joules``, ``gpu_joules``, and ``reasons`` for each of them that is None."""
        self._done.set()
        self._sampler.join()
        self._read()
        if self._gpus is not None:
            self._gpus.close()
        measured = {"cpu_joules": self._cpu.joules, "gpu_joules": self._gpu.joules}
        reasons = {name: self._reasons.get(name, LOST) for name, joules in measured.items() if joules is None}
        return {**measured, "reasons": reasons}

    def _sample(self) -> None:
        while not self._done.wait(self._interval_seconds):
            self._read()

    def _read(self) -> None:
        self._cpu.add(read_counters(self._powercap))
        self._gpu.add(self._read_gpus())

    def _read_gpus(self) -> Reading | None:
        try:
            return None if self._gpus is None else self._gpus.read()
        except NotMeasuredError as error:
            self._reasons["gpu_joules"] = str(error)
            return None
