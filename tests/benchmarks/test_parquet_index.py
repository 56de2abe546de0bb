from __future__ import annotations

import numpy as np
import pyarrow.parquet
import pytest

from benchmarks.lookup import parquet_arrays
from benchmarks.lookup.parquet_arrays import Columns, stored
from benchmarks.lookup.parquet_index import ParquetIndex
from benchmarks.lookup.table_cache import cache_folder
from harness.errors import SettingError
from tests.support import official_table

LEVELS = {name: tuple(map(float, values)) for name, values in official_table.SVM["levels"].items()}
COLUMNS = Columns(
    LEVELS,
    official_table.SVM["fidelities"],
    {"score": "result.info.val_scores.bal_acc", "cost": "result.cost", "absent": "result.info.val_scores.nothing"},
)
FIRST = {name: levels[0] for name, levels in LEVELS.items()}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def file(tmp_path):
    official_table.write(tmp_path)
    return tmp_path / "svm_31_data.parquet.gzip"


def everything(index):
    rows = [index.row({"C": c, "gamma": gamma}) for c in LEVELS["C"] for gamma in LEVELS["gamma"]]
    return [index.values(row, level, seed) for row in rows for level in range(3) for seed in (*index.seeds, None)]


def overwrite(file, wanted):
    """Garbage over the pages of every column whose path is, or is not, one of those; returns how many."""
    metadata = pyarrow.parquet.ParquetFile(file).metadata
    content, count = bytearray(file.read_bytes()), 0
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(number)
            if wanted(chunk.path_in_schema):
                start = chunk.dictionary_page_offset or chunk.data_page_offset
                content[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
                count += 1
    file.write_bytes(content)
    return count


def test_only_the_needed_columns_are_read(file, tmp_path):
    """The others are garbage, those beside the needed ones in the nested column too, and nobody notices."""
    expected = everything(ParquetIndex(file, COLUMNS))
    needed = {"C", "gamma", "subsample", "seed", "result.info.val_scores.bal_acc", "result.cost"}
    assert overwrite(file, lambda path: path not in needed) > 25
    with pytest.raises(OSError, match=r"\w"):
        pyarrow.parquet.read_table(file)
    index = ParquetIndex(file, COLUMNS)
    assert index.measures == ("score", "cost")
    assert everything(index) == expected
    overwrite(file, lambda path: path == "result.cost")
    with pytest.raises(SettingError, match="is damaged"):
        ParquetIndex(file, COLUMNS)


def test_the_mean_follows_the_seeds(file):
    index = ParquetIndex(file, COLUMNS)
    row = index.row(FIRST)
    each = [index.values(row, 2, seed) for seed in index.seeds]
    assert index.seeds == official_table.SEEDS
    assert index.values(row, 2, None) == pytest.approx(np.mean(each, axis=0))
    assert index.highest(665)[row].tolist() == each[0]


def test_what_is_not_there(file):
    index = ParquetIndex(file, COLUMNS)
    with pytest.raises(KeyError):
        index.row({"C": 0.5, "gamma": 1.0})
    with pytest.raises(SettingError, match="no column degree"):
        ParquetIndex(file, Columns({"degree": (2, 3)}, {}, COLUMNS.measures))
    with pytest.raises(SettingError, match="no column result"):
        ParquetIndex(file, Columns(LEVELS, COLUMNS.fidelities, {"score": "result.score"}))


def test_the_second_start_reads_arrays(file, monkeypatch):
    expected = everything(ParquetIndex(file, COLUMNS))

    def convert(*_):
        raise AssertionError("the file is read again")

    monkeypatch.setattr(parquet_arrays, "_convert", convert)
    assert everything(ParquetIndex(file, COLUMNS)) == expected
    with pytest.raises(AssertionError, match="read again"):
        ParquetIndex(file, Columns(LEVELS, COLUMNS.fidelities, {"score": "result.cost"}))
    file.touch()
    with pytest.raises(AssertionError, match="read again"):
        ParquetIndex(file, COLUMNS)


@pytest.mark.parametrize("part", ["values.npy", "codes.npy", "about.json"])
def test_damaged_arrays_are_written_anew(file, part):
    expected = everything(ParquetIndex(file, COLUMNS))
    (folder,) = cache_folder().iterdir()
    whole = (folder / part).read_bytes()
    for damaged in (whole[:-9], whole[:-9] + bytes(9)):
        (folder / part).write_bytes(damaged)
        assert everything(ParquetIndex(file, COLUMNS)) == expected
        assert (folder / part).read_bytes() == whole
    assert [entry.name for entry in cache_folder().iterdir()] == [folder.name]


def test_without_a_cache_folder_the_file_is_read(file, tmp_path, monkeypatch):
    (tmp_path / "nothing").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing"))
    assert everything(ParquetIndex(file, COLUMNS))


def test_levels_of_mixed_kinds_are_told_apart():
    assert stored((1, "1", True)) == ["1", '"1"', "true"]
    assert stored((1, 2.5)) == [1, 2.5]
    assert stored((True, False)) == [True, False]
