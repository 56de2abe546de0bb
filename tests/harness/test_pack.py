"""Packed experiments: every file comes back byte for byte, and everything reads them like run folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.__main__ import main as analyze
from analysis.runs.load import load
from harness.errors import HyperboleError, PackError, RunError
from harness.folder import RunFolder
from harness.jsonl import read_rows
from harness.migrate import migrate
from harness.pack import pack, unpack
from harness.pack_writer import fields_of, write_pack
from harness.packed import Pack, content_of, is_packed, state_of
from harness.record import read_record, says_complete
from harness.run_files import every_run_file, run_files
from harness.status import status_of
from harness.whole import files_of, whole_rows
from tests.support.recorded import RESULTS, restore
from tests.support.run_folders import noisy_experiment, trial, write_run

NAMES = ("run.json", "trials.jsonl", "calls.jsonl")


def contents(folder: Path) -> dict[str, bytes]:
    """Path below the folder -> bytes, of all files of runs."""
    files = (path for name in NAMES for path in folder.glob(f"*/*/*/{name}"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    folder = noisy_experiment(tmp_path / "runs" / "quickstart", seeds=2, proposals=5)
    for path in folder.glob("*/*/*/run.json"):
        run = json.loads(path.read_text()) | {"files": files_of(path.parent)}
        path.write_text(json.dumps(run, indent=1))
    return folder


def test_every_file_comes_back_and_nothing_is_deleted(experiment: Path, tmp_path: Path) -> None:
    before = contents(experiment)
    assert pack(experiment, experiment) == []
    assert contents(experiment) == before
    assert unpack(experiment, tmp_path / "out") == []
    assert contents(tmp_path / "out") == before


def test_removed_folders_are_read_from_the_pack(experiment: Path) -> None:
    before, paths = contents(experiment), run_files(experiment)
    rows = {path: whole_rows(path.parent, read_record(path)) for path in paths}
    assert pack(experiment, experiment, remove=True) == []
    assert sorted(path.name for path in experiment.iterdir()) == ["calls.parquet", "runs.parquet", "trials.parquet"]
    assert run_files(experiment) == every_run_file(experiment) == every_run_file(experiment.parent) == paths
    assert every_run_file(experiment / "hpobench.kc1" / "smac") == [path for path in paths if "kc1/smac" in str(path)]
    for path in paths:
        assert says_complete(path)
        assert is_packed(path.parent)
        assert RunFolder(path.parent).read() == read_record(path)
        assert whole_rows(path.parent, read_record(path)) == rows[path]
    found = status_of(experiment)
    assert (found.complete, found.total) == (len(paths), len(paths))
    assert unpack(experiment, experiment, remove=True) == []
    assert contents(experiment) == before
    assert not list(experiment.glob("*.parquet"))


def test_analysis_is_the_same(experiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert analyze([str(experiment), "--output", str(tmp_path / "one")]) == 0
    printed = capsys.readouterr().out.replace("/one/", "/other/")
    read = load(experiment)
    pack(experiment, experiment, remove=True)
    packed = load(experiment)
    assert packed.trials.equals(read.trials)
    assert packed.invalid == read.invalid
    capsys.readouterr()
    assert analyze([str(experiment), "--output", str(tmp_path / "other")]) == 0
    assert capsys.readouterr().out == printed
    for path in (tmp_path / "one").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "other" / path.relative_to(tmp_path / "one")).read_bytes()


def test_packed_runs_beside_new_ones(experiment: Path) -> None:
    pack(experiment, experiment, remove=True)
    new = write_run(experiment, "smac", 7, [trial(0, 0.7)])
    assert len(load(experiment).runs) == 17
    assert pack(experiment, experiment, remove=True) == []
    assert not new.exists()
    assert len(load(experiment).runs) == 17


def test_a_folder_on_disk_comes_before_the_pack(experiment: Path) -> None:
    pack(experiment, experiment)
    folder = experiment / "hpobench.kc1" / "smac" / "0"
    shutil.rmtree(folder)
    assert is_packed(folder)
    write_run(experiment, "smac", 0, [trial(0, 0.7), trial(1, 0.8)], task="kc1")
    assert not is_packed(folder)
    assert len(read_rows(folder / "trials.jsonl")) == 2
    assert content_of(folder / "calls.jsonl") is None
    (left,) = unpack(experiment, experiment)
    assert "smac/0 is left alone: its run.json is another one" in left


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda run: (run / "run.json").write_text("{"), "cannot be read"),
        (lambda run: (run / "trials.jsonl").write_bytes(b"{}\n"), "line 1 of trials.jsonl is not a trial"),
        (lambda run: (run / "trials.jsonl").open("ab").write(b'{"ind'), "is truncated"),
        (lambda run: _change(run, status="running"), "it is running."),
        (lambda run: _change(run, status="failed"), "it is failed."),
        (lambda run: _change(run, host="\u00e9".encode("latin-1")), "not text in UTF-8"),
    ],
)
def test_what_is_not_whole_stays_as_it_is(damage: Callable[[Path], Any], why: str, experiment: Path) -> None:
    run = experiment / "hpobench.kc1" / "smac" / "0"
    damage(run)
    before = contents(run.parent.parent.parent)
    (left,) = pack(experiment, experiment, remove=True)
    assert str(run) in left
    assert why in left or why == "not text in UTF-8"
    assert contents(experiment) == {name: content for name, content in before.items() if "kc1/smac/0" in name}


def _change(run: Path, **changes: Any) -> None:
    path = run / "run.json"
    text = json.dumps({**json.loads(path.read_text()), **{k: v for k, v in changes.items() if isinstance(v, str)}})
    found = text.encode()
    for value in changes.values():
        if isinstance(value, bytes):
            found = found.replace(b'"schema"', b'"note": "' + value + b'", "schema"', 1)
    path.write_bytes(found)


def test_a_change_between_packing_and_removing_is_kept(experiment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import harness.pack as module

    changed = experiment / "hpobench.kc1" / "smac" / "0" / "trials.jsonl"

    def write(*arguments: Any) -> tuple[int, int]:
        sizes = write_pack(*arguments)
        changed.write_bytes(changed.read_bytes() + b"{}\n")
        return sizes

    monkeypatch.setattr(module, "write_pack", write)
    (left,) = pack(experiment, experiment, remove=True)
    assert "was changed meanwhile" in left
    assert changed.exists()


def test_a_damaged_pack_is_a_sentence(experiment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack(experiment, experiment, remove=True)
    good = (experiment / "trials.parquet").read_bytes()
    for damaged in (good[: len(good) // 2], b"", good[:400] + bytes([good[400] ^ 1]) + good[401:]):
        (experiment / "trials.parquet").write_bytes(damaged)
        (experiment / "runs.parquet").touch()
        assert analyze([str(experiment), "--output", str(experiment.parent / "out")]) == 2
        said = capsys.readouterr().err
        assert "trials.parquet cannot be read" in said
        assert said.count("\n") == 1
        with pytest.raises(PackError, match="cannot be read"):
            unpack(experiment, experiment)
    (experiment / "trials.parquet").unlink()
    (experiment / "runs.parquet").touch()
    assert analyze([str(experiment)]) == 2
    (experiment / "runs.parquet").write_bytes(b"PAR1")
    with pytest.raises(PackError, match=r"runs.parquet cannot be read"):
        status_of(experiment)


def test_parquet_files_of_others_are_no_pack(tmp_path: Path) -> None:
    pl.DataFrame({"run": ["x"]}).write_parquet(tmp_path / "runs.parquet")
    with pytest.raises(PackError, match="no pack"):
        run_files(tmp_path)


def test_mistakes(experiment: Path, tmp_path: Path) -> None:
    with pytest.raises(PackError, match="is not packed"):
        unpack(experiment, experiment)
    with pytest.raises(HyperboleError, match="did you mean 'quickstart'"):
        pack(experiment.parent / "quickstrat", tmp_path)
    write_run(tmp_path / "e", "smac", 0, [trial(0, 0.7)], status="running")
    with pytest.raises(RunError, match="no complete run"):
        pack(tmp_path / "e", tmp_path / "e")
    assert not list((tmp_path / "e").glob("*.parquet"))


def test_migration_asks_to_unpack(tmp_path: Path) -> None:
    run = restore(
        RESULTS / "quickstart/hpobench.credit_g/random_search/1", tmp_path / "e/hpobench.credit_g/random_search/1"
    )
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"schema": 1}))
    pack(tmp_path / "e", tmp_path / "e", remove=True)
    with pytest.raises(RunError, match=r"is packed; unpack it first: python -m harness\.pack --unpack"):
        migrate(tmp_path / "e")


LINES = st.one_of(
    st.sampled_from(["", "{}", "[]", "x", '{"a":1}', '{"b":2,"a":1}', '{"a": 1}', '{"run":1}', '{"line":"x"}']),
    st.dictionaries(st.sampled_from("abc\u00e9\n"), st.none() | st.integers() | st.text(max_size=3)).map(json.dumps),
    st.dictionaries(st.sampled_from("abcd"), st.integers()).map(lambda row: json.dumps(row, separators=(",", ":"))),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n"), max_size=8),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(logs=st.lists(st.none() | st.lists(LINES, max_size=4), min_size=1, max_size=4), text=st.text(max_size=5))
def test_any_lines_come_back(logs: list[list[str] | None], text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("pack")
    runs = []
    for number, lines in enumerate(logs):
        files = {"run.json": text.encode("utf-8", "replace"), "trials.jsonl": f"{number}\n".encode()}
        if lines is not None:
            files["calls.jsonl"] = "".join(f"{line}\n" for line in lines).encode()
        runs.append((f"t/m/{number}", files))
    write_pack(folder, runs)
    found = Pack(folder)
    for run, files in runs:
        assert {name: content for name in NAMES if (content := found.content(run, name)) is not None} == files
        assert found.has(run, "calls.jsonl") == ("calls.jsonl" in files)
        assert found.content(run, ".lock") is None
    assert state_of(folder / "t/m/0/trials.jsonl") is not None
    assert state_of(folder / "t/m/9/trials.jsonl") is None


def test_new_fields_stand_where_most_lines_have_them() -> None:
    rows = [dict.fromkeys(keys, "1") for keys in ("abd", "abcd", "xab", ["run"])]
    assert fields_of(rows) == ["x", "a", "b", "c", "d"]


@pytest.mark.parametrize("path", ["/calls.jsonl", "/a/calls.jsonl", "/a/b/calls.jsonl", "calls.jsonl", "a/calls.jsonl"])
def test_paths_that_are_no_runs(path: str) -> None:
    assert content_of(Path(path)) is None
    assert state_of(Path(path)) is None
    assert not is_packed(Path(path).parent)
