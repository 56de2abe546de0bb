from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest

from harness.meters.energy_meter import EnergyMeter, RunningJoules
from harness.meters.nvml import Gpus, NotMeasuredError
from harness.meters.processor_energy import joules_between, read_counters, why_no_counters


def powercap(folder, counters, limit=10_000_000):
    for name, counter in counters.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file, number in (("max_energy_range_uj", limit), ("energy_uj", counter)):
            (folder / name / "draft").write_text(f"{number}\n")
            (folder / name / "draft").replace(folder / name / file)  # the kernel never shows half a number
    return read_counters(folder)


def test_packages_add_up_and_their_parts_do_not_count_twice(tmp_path):
    before = powercap(tmp_path, {"intel-rapl:0": 1_000_000, "intel-rapl:0:0": 500_000, "intel-rapl:1": 0})
    after = powercap(tmp_path, {"intel-rapl:0": 3_500_000, "intel-rapl:0:0": 900_000, "intel-rapl:1": 250_000})
    assert joules_between(before, after) == pytest.approx(2.75)


def test_a_counter_that_starts_again(tmp_path):
    before = powercap(tmp_path, {"intel-rapl:0": 9_000_000})
    assert joules_between(before, powercap(tmp_path, {"intel-rapl:0": 1_000_000})) == pytest.approx(2.0)


def test_without_counters_nothing_is_measured(tmp_path):
    assert read_counters(tmp_path) is None
    assert joules_between(None, {"intel-rapl:0": (1, 2)}) is None
    (tmp_path / "intel-rapl:0").mkdir()
    assert read_counters(tmp_path) is None, "a counter that cannot be read is none"
    assert joules_between({"intel-rapl:0": (1, 9)}, {"intel-rapl:1": (2, 9)}) is None


def test_why_there_are_no_counters(tmp_path):
    assert why_no_counters(tmp_path) == f"there are no counters in {tmp_path}"
    powercap(tmp_path, {"intel-rapl:0": 1})
    assert "may not be read" in why_no_counters(tmp_path)


def test_a_counter_that_never_starts_again_and_fell_was_set_back():
    assert joules_between({"GPU 0": (5_000_000, None)}, {"GPU 0": (7_000_000, None)}) == pytest.approx(2.0)
    assert joules_between({"GPU 0": (5_000_000, None)}, {"GPU 0": (1_000_000, None)}) is None


def test_readings_in_between_see_a_counter_start_again_twice():
    running = RunningJoules({"p": (9_000_000, 10_000_000)})
    for counter in (1_000_000, 8_000_000, 2_000_000):
        running.add({"p": (counter, 10_000_000)})
    assert running.joules == pytest.approx(2 + 7 + 4)
    running.add(None)
    running.add({"p": (3_000_000, 10_000_000)})
    assert running.joules is None, "a part was not measured"


class FakeNvml:
    """The functions of pynvml that are used, over a list of counters in millijoules; None: not supported."""

    class NVMLError(Exception):
        pass

    def __init__(self, counters, driver=True):
        self.counters, self.driver, self.held = list(counters), driver, 0

    def nvmlInit(self):
        if not self.driver:
            raise self.NVMLError("Driver Not Loaded")
        self.held += 1

    def nvmlShutdown(self):
        self.held -= 1

    def nvmlDeviceGetCount(self):
        return len(self.counters)

    def nvmlDeviceGetHandleByIndex(self, number):
        return SimpleNamespace(number=number)

    def nvmlDeviceGetName(self, device):
        return "H100"

    def nvmlDeviceGetTotalEnergyConsumption(self, device):
        if self.counters[device.number] is None:
            raise self.NVMLError("Not Supported")
        return self.counters[device.number]


@pytest.fixture
def nvml(monkeypatch):
    def install(*arguments, **settings):
        fake = FakeNvml(*arguments, **settings)
        monkeypatch.setitem(sys.modules, "pynvml", fake)
        return fake

    return install


def test_all_devices_in_microjoules(nvml):
    fake = nvml([5, 7])
    gpus = Gpus()
    assert gpus.read() == {"GPU 0 H100": (5000, None), "GPU 1 H100": (7000, None)}
    assert fake.held == 1, "a driver that nobody holds may forget its counters"
    gpus.close()
    assert fake.held == 0


@pytest.mark.parametrize(
    ("counters", "driver", "told"),
    [([], True, "no device"), ([5], False, "Driver Not Loaded"), ([5, None], True, "Not Supported")],
)
def test_what_cannot_be_measured_says_why(nvml, counters, driver, told):
    fake = nvml(counters, driver=driver)
    with pytest.raises(NotMeasuredError, match=told):
        Gpus()
    assert fake.held == 0 or not counters


def test_without_the_package_nothing_is_measured(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(NotMeasuredError, match="nvidia-ml-py"):
        Gpus()


class Counting(EnergyMeter):
    readings = 0

    def _read(self):
        super()._read()
        self.readings += 1


def test_a_meter_adds_up_what_both_kinds_of_counter_say(tmp_path, nvml):
    fake = nvml([1000, 500])
    powercap(tmp_path, {"intel-rapl:0": 9_000_000})
    meter = Counting(tmp_path, interval_seconds=0.01)
    meter.start({})
    for counter in (1_000_000, 8_000_000, 2_000_000):  # starts again twice
        powercap(tmp_path, {"intel-rapl:0": counter})
        enough = meter.readings + 2  # one may have begun before the counter changed
        while meter.readings < enough:
            time.sleep(0.01)
    fake.counters = [3000, 600]
    measured = meter.stop([])
    assert measured["cpu_joules"] == pytest.approx(13)
    assert (measured["gpu_joules"], measured["reasons"]) == (pytest.approx(2.1), {})
    assert fake.held == 0


def test_a_meter_with_nothing_to_read_says_so(tmp_path, nvml):
    nvml([5], driver=False)
    meter = EnergyMeter(tmp_path)
    meter.start({})
    reasons = {"cpu_joules": f"there are no counters in {tmp_path}", "gpu_joules": "NVML: Driver Not Loaded"}
    assert meter.stop([]) == {"cpu_joules": None, "gpu_joules": None, "reasons": reasons}


def test_a_driver_that_is_loaded_anew_meanwhile(tmp_path, nvml):
    fake = nvml([5000])
    meter = EnergyMeter(tmp_path)
    meter.start({})
    fake.counters = [10]
    assert meter.stop([])["gpu_joules"] is None
