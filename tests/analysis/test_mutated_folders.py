"""Run folders that are damaged or made up: a sentence or tables, never a traceback, never a number without its row.

A valid experiment is mutated (a field removed, a value replaced, rows lost, doubled or swapped) and analyzed; what the
tables then say is counted again from the rows on disk, by other means.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.report import outputs as publish
from analysis.runs.labels import EXACT
from analysis.runs.load import load
from harness.jsonl import encode
from tests.support.run_folders import CURVE, OBJECTIVE, TIME, USAGE, call, fault, outcome, trial, write_run

VALUES = [
    *(None, True, -1, 0, 1, 2.5, -0.7, 1e308, -1e308, 10**400, "", "x", "NaN", "Infinity", "\ud800", "=1+1"),
    *([], {}, [1], [None], {"a": 1}, ["NaN"], [[[]]], {"name": "n", "direction": "max"}, "minimize", "a\x1b[2Jb\n"),
    "2026-01-02T03:04:05",
]
"""What a value is replaced by."""

Files = dict[str, list[Any]]
"""Path below the experiment -> its JSON values, one a line."""


def _experiment(folder: Path) -> None:
    config = {
        "benchmark": {"task": "credit_g", "space": "grid"},
        "optimizer": {"samples": 2},
        "llm": {"model": "tiny", "served_name": None, "recording": "calls.jsonl"},
        "decoding": {"mode": "free", "max_tokens": 9},
        "start": {"_target_": "harness.start.NoStart"},
    }
    seconds = {"name": "train_seconds", "direction": "minimize", "optimum": 0.0, "worst": None, "scale": [0.0, 9.0]}
    known = {
        "config": config,
        "host": "h",
        "loss_quantiles": [-0.8, -0.7, -0.5],
        "fidelities": [{"name": "epochs", "lower": 1.0, "upper": 9.0, "integer": True}],
        "git": {"commit": "a", "dirty": True, "changed": ["x.py"], "diff": "b"},
    }
    usage = USAGE | {"calls": 1, "prompt_tokens": 30, "completion_tokens": 9, "seconds": 0.2, "reasoning_tokens": 0}
    drawn = {"proposed": {"depth": 9}, "violations": [fault("unknown", "x", 1)], "call": 1, "score": None, "note": None}
    for seed in (0, 1):
        classical = [trial(i, 0.6 + i / 20 + seed / 50) for i in range(3)]
        cheap = trial(3, 0.7, fidelity={"epochs": 1.0})
        write_run(folder, "random_search", seed, [*classical, cheap], random_search_curve=[*CURVE], **known)
        for method in ("random_search", "recitation"):
            two = [outcome(i, 0.6 + i / 50, 2.0 + i, metrics={"test_balanced_accuracy": 0.5}) for i in range(2)]
            both = {"objectives": [OBJECTIVE, seconds], "random_search_curve": None, "task": "kc1"}
            write_run(folder, method, seed, two, **known, **both)
        rows = [
            trial(0, 0.7, calls=[0], usage=usage, metrics={"test_balanced_accuracy": 0.6}, reason="I increase depth"),
            trial(1, None, violations=[fault("missing", "depth")], calls=[1], usage=usage, candidates=[drawn]),
            trial(2, None, executed={"depth": 1}, error="ValueError: boom", predicted=0.9),
            trial(3, 0.72, calls=[2], usage=usage, repair="clamp", violations=[fault("out_of_range", "alpha", 9)]),
        ]
        calls = [call(i, '{"depth": 1}', usage=usage) for i in range(3)]
        for method in ("llm_chat", "llm_chat+decoding=json_schema"):
            write_run(folder, method, seed, rows, calls, **known)
    energy = {"gpu_joules": 5.0, "cpu_joules": None, "reason": "no counters"}
    sweep = {"started_at": TIME, "finished_at": TIME, "seconds": 1.0, "host": "h", "energy": energy, "server": None}
    runs = [path.parent.relative_to(folder).as_posix() for path in sorted(folder.glob("*/*/*/run.json"))]
    (folder / "sweeps.jsonl").write_text(encode(sweep | {"runs": runs}) + "\n")


def _read(folder: Path) -> Files:
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".json", ".jsonl"})
    return {
        path.relative_to(folder).as_posix(): [json.loads(line) for line in path.read_text().splitlines()]
        for path in files
    }


def _write(folder: Path, files: Files) -> None:
    for name, lines in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from _places(item)


def _mutate(draw: Any, files: Files) -> None:
    name = draw(st.sampled_from(sorted(files)))
    lines = files[name]
    kind = draw(st.sampled_from(["replace"] * 6 + ["remove"] * 3 + ["lose", "double", "swap", "text"]))
    if not lines:
        return
    number = draw(st.integers(0, len(lines) - 1))
    if kind == "lose":
        del lines[number]
    elif kind == "double":
        lines.insert(number, lines[number])
    elif kind == "swap":
        other = draw(st.integers(0, len(lines) - 1))
        lines[number], lines[other] = lines[other], lines[number]
    elif kind == "text":
        lines[number] = draw(st.sampled_from(VALUES))
    else:
        places = list(_places(lines[number]))
        if not places:
            return
        container, key = draw(st.sampled_from(places))
        if kind == "replace":
            container[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif isinstance(container, dict):
            del container[key]
        else:
            container.pop(key)


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("valid") / "e"
    _experiment(folder)
    return _read(folder)


def _analyzed(folder: Path) -> tuple[int, str]:
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        code = main([str(folder), "--output", str(folder.parent / "out")])
    return code, errors.getvalue()


# Shrinking would take minutes, and a single mutation is small enough to read.
@pytest.mark.slow
@settings(
    max_examples=40, derandomize=True, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_a_sentence_or_numbers_that_rows_support(
    data: st.DataObject, valid: Files, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = copy.deepcopy(valid)
    for _ in range(data.draw(st.integers(1, 3))):
        _mutate(data.draw, files)
    folder = tmp_path_factory.mktemp("mutated") / "e"
    _write(folder, files)
    figures = data.draw(st.integers(0, 9)) == 0
    with pytest.MonkeyPatch.context() as patch:
        if not figures:
            patch.setattr(publish, "_write_figures", lambda source, folder: ())
        code, said = _analyzed(folder)
    assert code in {0, 1, 2}
    assert "Traceback" not in said
    tables = folder.parent / "out/tables"
    if code != 2:
        kept = {f"{run.id}/run.json" for run in load(folder).runs}  # the others are damaged and named
        _check({name: files[name] for name in files if name.replace("trials.jsonl", "run.json") in kept}, tables)


def _check(files: Files, tables: Path) -> None:
    for row in pl.read_csv(tables / "quality_by_task.csv", infer_schema_length=None).iter_rows(named=True):
        assert not [value for value in row.values() if isinstance(value, float) and math.isnan(value)]
        assert row["regret_mean"] is None or row["regret_mean"] >= -0.01, "0 is the optimum"
        if row["best_mean"] is None or row["method"] == EXACT:
            continue
        runs = _runs(files, row["task"].removeprefix("'"), row["method"].removeprefix("'"))
        sign = -1 if "(maximize)" in row["objective"] else 1
        best = [min(float(one["losses"][name]) for one in rows if _counts(one)) for name, rows in runs]
        assert row["runs"] <= len(runs)
        assert min(best) - 1e-6 <= sign * row["best_mean"] <= max(best) + 1e-6
    for row in pl.read_csv(tables / "hallucination.csv", infer_schema_length=None).iter_rows(named=True):
        rows = [one for _, found in _runs(files, None, row["method"].removeprefix("'")) for one in found]
        assert row["proposals"] == len(rows)
        assert row["invalid"] == pytest.approx(sum(bool(one["violations"]) for one in rows) / len(rows), abs=1e-5)


def _runs(files: Files, task: str | None, method: str) -> list[tuple[str, list[Any]]]:
    """(first objective, rows) of the runs on disk that say that they are of this method and task, and complete."""
    found = []
    for name, lines in files.items():
        info = lines[0] if name.endswith("run.json") and lines else {}
        if not isinstance(info, dict) or info.get("status") != "complete" or info.get("method") != method:
            continue
        if task in (None, f"{info.get('benchmark')}.{info.get('task')}"):
            found.append((info["objectives"][0]["name"], files[name.replace("run.json", "trials.jsonl")]))
    return found


def _counts(row: dict[str, Any]) -> bool:
    """Whether a row is a result: evaluated at the highest fidelity, with a number."""
    return bool(row["losses"]) and row["fidelity"] is None
