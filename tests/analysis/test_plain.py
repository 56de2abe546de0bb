"""Ordinary logs are read as typed rows: the frame is that of reading row by row, and anything else is left to that."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.runs import lines, plain
from analysis.runs.columns import TRIALS, schema_of
from analysis.runs.load import Run, load
from analysis.runs.logs import read_run
from analysis.runs.plain import PlainRuns, plain_columns
from harness.errors import RunError
from harness.whole import files_of
from tests.support.run_folders import TRADE_OFF, USAGE, fault, outcome, trial, write_run

SNAPPED = {"snap_steps": 0.1, "snap_steps_max": 0.4, "test_balanced_accuracy": 0.6}
CASES: dict[str, list[dict[str, Any]]] = {
    "plain": [trial(i, 0.6 + i / 10, near_duplicate_of=None, proposer="random") for i in range(3)],
    "older": [trial(0, 0.7), trial(1, 0.7, usage=USAGE | {"reasoning_tokens": None})],
    "failed": [trial(0, executed={"depth": 1}, error="Err\u202e\n: boom"), trial(1), trial(2, 0.7, repair="clamp")],
    "fidelities": [trial(0, 0.7, fidelity={"epochs": 1.0}), trial(1, 0.8), trial(2, 0.9, fidelity="x")],
    "metrics": [trial(0, 0.7, metrics=SNAPPED), trial(1, 0.7, metrics={"test_balanced_accuracy": "NaN"})],
    "numbers": [trial(i, 0.7, executed={"a": value, "b": -0.0}) for i, value in enumerate((1, 1.0, "1", None, 1e22))],
    "booleans": [trial(i, 0.7, executed={"a": value}) for i, value in enumerate((1, True, 1.0, False, 0))],
    "nested": [trial(i, 0.7, executed={"a": value}) for i, value in enumerate(([1, 2], [1.0, 2], {"b": 1}))],
    "order": [trial(0, 0.7, executed={"a": 1, "b": 2}), trial(1, 0.7, executed={"b": 2, "a": 1})],
    "disguised": [
        trial(0, 0.7, executed={"a": 1}, evaluated={"x": 5}),
        trial(1, 0.7, executed={"a": 2}, evaluated={"x": 5.0}),
        trial(2, 0.7, executed={"x": 5}),
        trial(3, 0.7, executed={"a": 2}, evaluated={"x": 6}, fidelity={"epochs": 1}),
    ],
    "duplicates": [trial(i, 0.7, executed={"a": 1}, duplicate_of=0 if i else None) for i in range(3)],
}
NOT_PLAIN: dict[str, list[dict[str, Any]]] = {
    "invalid": [trial(0, 0.7), trial(1, violations=[fault("unknown", "x", 1)])],
    "called": [trial(0, 0.7, calls=[0])],
    "boolean usage": [trial(0, 0.7, usage=USAGE | {"calls": True})],
    "text for a number": [trial(0, 0.7, losses={"balanced_accuracy": "NaN"})],
    "huge": [trial(0, 0.7, evaluation_seconds=1e200)],
    "losses of an error": [trial(0, 0.7, error="boom")],
    "no losses of the objective": [trial(0, 0.7, losses={"other": 1.0})],
    "a surrogate": [trial(0, 0.7, executed={"a": "\ud800"})],
    "out of order": [trial(1, 0.7), trial(0, 0.7)],
    "a list as metrics": [trial(0, 0.7, metrics=[])],
}


def _run(folder: Path, rows: list[dict[str, Any]], content: bytes | None = None, **changes: Any) -> Run:
    path = write_run(folder, "smac", 0, rows, **changes)
    if content is not None:
        (path / "trials.jsonl").write_bytes(content)
    info = json.loads((path / "run.json").read_text()) | {"files": files_of(path)}
    (path / "run.json").write_text(json.dumps(info))
    return Run("hpobench.credit_g/smac/0", path, info)


def _plain_frame(run: Run) -> pl.DataFrame | None:
    columns = plain_columns((run.folder / "trials.jsonl").read_bytes(), run.info)
    if columns is None:
        return None
    runs = PlainRuns()
    runs.add((run.id, run.method, run.task, run.seed), columns)
    return runs.frame()


def _frame(run: Run) -> pl.DataFrame:
    return pl.DataFrame(read_run(run)[0], schema=schema_of(TRIALS))


def _same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    return one.schema == other.schema and one.equals(other)


@pytest.mark.parametrize("name", CASES)
def test_the_frame_is_that_of_reading_row_by_row(name: str, tmp_path: Path) -> None:
    run = _run(tmp_path / "e", CASES[name])
    found = _plain_frame(run)
    assert found is not None
    assert _same(found, _frame(run))


def test_several_objectives(tmp_path: Path) -> None:
    rows = [outcome(0, 0.7, 2.0), outcome(1, 0.8, 3.0, fidelity={"epochs": 1}), trial(2)]
    run = _run(tmp_path / "e", rows, objectives=TRADE_OFF)
    found = _plain_frame(run)
    assert found is not None
    assert found["losses"].to_list() == [[-0.7, 2.0], None, None]
    assert _same(found, _frame(run))


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_anything_else_is_read_row_by_row(name: str, tmp_path: Path) -> None:
    assert _plain_frame(_run(tmp_path / "e", NOT_PLAIN[name])) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\n\n", 1),
        lambda text: text[:-1],
        lambda text: text + b"{}\n",
        lambda text: text.replace(b"0.25", b"NaN", 1),
        lambda text: text.replace(b"null", b"\xff", 1),
        lambda text: text.replace(b'"depth"', b'"\xc3\xa9"', 1),
    ],
)
def test_a_forged_log_with_its_hash_is_read_row_by_row(change: Any, tmp_path: Path) -> None:
    rows = CASES["plain"]
    text = "".join(f"{json.dumps(row, separators=(',', ':'))}\n" for row in rows).encode()
    assert _plain_frame(_run(tmp_path / "e", rows, change(text))) is None
    assert _plain_frame(_run(tmp_path / "f", rows, text)) is not None


def test_a_log_that_was_changed_after_the_run_is_damage(tmp_path: Path) -> None:
    for seed in (0, 1):
        path = write_run(tmp_path / "e", "smac", seed, CASES["plain"])
        info = json.loads((path / "run.json").read_text()) | {"files": files_of(path)}
        (path / "run.json").write_text(json.dumps(info))
    log = path / "trials.jsonl"
    log.write_bytes(log.read_bytes().replace(b"0.25", b"0.26", 1))
    experiment = load(tmp_path / "e")
    assert [run.seed for run in experiment.runs] == [0]
    assert "trials.jsonl was changed after the run" in experiment.damaged[0]


@pytest.mark.parametrize("budget", [{"proposals": 4}, {"proposals": 2}, {"evaluations": 3}, {"seconds": 6.75}, {}])
def test_the_budget_is_held_to(budget: dict[str, Any], tmp_path: Path) -> None:
    run = _run(tmp_path / "e", CASES["plain"], budget=budget)
    found = _plain_frame(run)
    try:
        read = _frame(run)
    except RunError:
        assert found is None
    else:
        assert found is not None
        assert _same(found, read)


VALUES = [
    None,
    True,
    -1,
    0,
    1,
    2.5,
    1e308,
    10**400,
    2**53,
    2**63,
    "",
    "x",
    "NaN",
    [],
    {},
    [1],
    {"a": 1},
    -0.0,
    "random",
]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_changed_row_is_read_the_same_or_left_alone(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = copy.deepcopy(CASES[data.draw(st.sampled_from(sorted(CASES)))])
    row = rows[data.draw(st.integers(0, len(rows) - 1))]
    places = [(row, key) for key in row]
    places += [(value, key) for value in row.values() if isinstance(value, dict) for key in value]
    container, key = data.draw(st.sampled_from(places))
    if data.draw(st.integers(0, 4)):
        container[key] = data.draw(st.sampled_from(VALUES))
    else:
        del container[key]
    run = _run(tmp_path_factory.mktemp("changed") / "e", rows)
    found = _plain_frame(run)
    if found is not None:
        assert _same(found, _frame(run))


def test_every_field_that_is_checked_row_by_row_is_checked_here() -> None:
    fields = plain._decoder("x").type.__struct_fields__
    assert {*lines._TRIAL, *lines._TRIAL_IF_GIVEN} <= set(fields)
