from __future__ import annotations

import pytest

from harness.energy import joules_between, read_counters


def powercap(folder, counters, limit=10_000_000):
    for name, counter in counters.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "energy_uj").write_text(f"{counter}\n")
        (folder / name / "max_energy_range_uj").write_text(f"{limit}\n")
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
