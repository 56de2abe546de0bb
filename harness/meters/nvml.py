"""Joules of NVIDIA's devices, from the counters of their driver (NVML through nvidia-ml-py)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from harness.meters.processor_energy import Reading


class NotMeasuredError(Exception):
    """No counter can be read; the message has the reason."""


class Gpus:
    """All devices of this machine, including use by other processes: on a shared machine joules are an upper bound.

    The driver is held open until ``close``: an unused driver may unload, which resets its counters.

    Raises:
        NotMeasuredError: No package, no driver, no device, or a device without a counter (before Volta).
    """

    def __init__(self) -> None:
        self._nvml, self._devices = _open()
        try:
            self.read()
        except NotMeasuredError:
            self.close()
            raise

    def read(self) -> Reading:
        """The counter of each device since its driver was loaded, in microjoules.

        Raises:
            NotMeasuredError: A device does not report its counter.
        """
        try:
            millijoules = {
                name: int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(device))
                for name, device in self._devices.items()
            }
        except self._nvml.NVMLError as error:
            raise NotMeasuredError(f"NVML: {error}") from None
        return {name: (1000 * counter, None) for name, counter in millijoules.items()}

    def close(self) -> None:
        """Release the driver."""
        with suppress(self._nvml.NVMLError):
            self._nvml.nvmlShutdown()


def _open() -> tuple[Any, dict[str, Any]]:
    """The library, and each device's handle by number and model."""
    try:
        import pynvml
    except ImportError:
        raise NotMeasuredError("the package nvidia-ml-py is not installed") from None
    try:
        pynvml.nvmlInit()
        devices = {}
        for number in range(pynvml.nvmlDeviceGetCount()):
            device = pynvml.nvmlDeviceGetHandleByIndex(number)
            devices[f"GPU {number} {pynvml.nvmlDeviceGetName(device)}"] = device
    except pynvml.NVMLError as error:
        raise NotMeasuredError(f"NVML: {error}") from None
    if not devices:
        raise NotMeasuredError("the driver knows no device")
    return pynvml, devices
