"""Records of many runs, read with equal parts once: the same as one by one, with the same errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import RunError
from harness.record import OlderRecordError, read_record
from harness.records import Records
from tests.support.run_folders import trial, write_run


def _write(folder: Path, **changes: Any) -> Path:
    return write_run(folder / "e", "smac", len(list(folder.rglob("run.json"))), [trial(0, 0.7)], **changes) / "run.json"


def test_equal_parts_are_one_object(tmp_path: Path) -> None:
    records, paths = Records(), [_write(tmp_path) for _ in range(2)]
    one, other = map(records.read, paths)
    assert [one, other] == list(map(read_record, paths))
    assert one["random_search_curve"] is other["random_search_curve"]
    assert one["config"]["optimizer"] is other["config"]["optimizer"]
    assert one["seed"] != other["seed"]


def test_former_names_are_renewed(tmp_path: Path) -> None:
    config = {"optimizer": {"_target_": "optimizers.llambo.LLAMBO"}, "seed": 0}
    path = _write(tmp_path, config=config)
    assert Records().read(path)["config"]["optimizer"]["_target_"] == "optimizers.llambo.llambo.LLAMBO"


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": 1},
        {"schema": 3},
        {"schema": True},
        {"objectives": []},
        {"status": None},
        {"config": {"optimizer": 1}},
        {"config": []},
        {"budget": {"proposals": "x"}},
        {"notes": json.loads("[" * 61 + "]" * 61)},
        {"config": {"x": json.loads("[" * 60 + "]" * 60)}},
    ],
)
def test_what_is_wrong_is_said_as_for_one(changes: dict[str, Any], tmp_path: Path) -> None:
    path = _write(tmp_path, **changes)
    with pytest.raises(RunError) as expected:
        read_record(path)
    with pytest.raises(RunError) as found:
        Records().read(path)
    assert str(found.value) == str(expected.value)
    assert type(found.value) is type(expected.value)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"a": 1}', b"\xff"])
def test_files_that_are_no_record(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(text)
    with pytest.raises(RunError) as expected:
        read_record(path)
    with pytest.raises(RunError, match="cannot be read") as found:
        Records().read(path)
    assert str(found.value) == str(expected.value)


def test_odd_but_valid_records(tmp_path: Path) -> None:
    paths = [
        _write(tmp_path, host="\ud800"),
        _write(tmp_path, host="\u00e9"),
        _write(tmp_path, loss_quantiles=["NaN", 1, 10**30]),
        _write(tmp_path, config={"_target_": "optimizers.llambo.X", "seed": 0}),
    ]
    utf8 = _write(tmp_path)
    utf8.write_bytes(utf8.read_bytes().replace(b"3.11.7", "3.11.7é".encode()))
    records = Records()
    for path in [*paths, utf8]:
        assert records.read(path) == read_record(path)


def test_an_older_one(tmp_path: Path) -> None:
    with pytest.raises(OlderRecordError):
        Records().read(_write(tmp_path, schema=1))
