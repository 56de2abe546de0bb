"""Decoding modes by hand: what is against a schema, what is beyond it, and what each mode costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import ConfigurationSpace, Float, ForbiddenAndConjunction, ForbiddenEqualsClause, Integer

from analysis.present.render import cells
from analysis.present.table import Findings, Table
from analysis.runs.load import load
from analysis.runs.schema_faults import conditional_names, kinds
from analysis.stats.material import Material
from analysis.tables.decodings import decoding_findings
from benchmarks.conditional.conditional import kernel_space
from llms.schema import json_schema, list_schema
from tests.llms.test_schema import independent
from tests.support.run_folders import USAGE, call, fault, trial, write_run

SCHEMA = json_schema(kernel_space("svm"), "flat")
BRANCHES = json_schema(kernel_space("svm"))
CONDITIONAL = {"gamma", "degree", "coef0"}
SAMPLING = {"mode": "json_schema", "schema": SCHEMA, "temperature": 0.8, "max_tokens": 128, "seed": 1}


def _usage(calls: int, prompt: int, completion: int, seconds: float) -> dict[str, Any]:
    return USAGE | {
        "calls": calls,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "seconds": seconds,
    }


def _run(folder: Path, method: str, seed: int, *violations: list[dict[str, Any]], **changes: Any) -> None:
    """A trial for each list of violations; one without any comes out at 0.75."""
    rows = []
    for index, found in enumerate(violations):
        usage = _usage(1, 100 * (1 + index), 10, 2.0)
        row = trial(index, None if found else 0.75, violations=found, calls=[index], usage=usage, ask_seconds=3.0)
        rows.append(row)
    sampling = SAMPLING if "json_schema" in method else SAMPLING | {"mode": "free", "schema": None}
    calls = [call(index, "{}", sampling=sampling) for index in range(len(rows))]
    write_run(folder, method, seed, rows, calls, **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prose, inactive = [fault("unparseable")], [fault("inactive", "degree", 3)]
    forbidden = [fault("forbidden", "kernel, degree", {"kernel": "poly", "degree": 5})]
    both = [fault("missing", "C"), fault("missing", "gamma")]
    _run(tmp_path, "llm_chat", 0, prose, prose, both, [])
    _run(tmp_path, "llm_chat", 0, prose, [fault("truncated")], [fault("unknown", "x", 1)], prose, task="kc1")
    _run(tmp_path, "llm_chat+decoding=json_schema", 0, inactive, forbidden, [fault("missing", "coef0")], [])
    _run(tmp_path, "llm_chat+decoding=json_schema", 0, [], [], [], [], task="kc1")
    return tmp_path


def _found(folder: Path) -> Findings:
    experiment = load(folder)
    return decoding_findings(Material(experiment))


def _rows(table: Table, *keys: str) -> dict[Any, dict[str, Any]]:
    return {tuple(row[key] for key in keys): row for row in table.frame.iter_rows(named=True)}


def test_names_a_schema_does_not_require_are_the_conditional_ones() -> None:
    assert conditional_names(SCHEMA) == CONDITIONAL
    assert conditional_names(list_schema(SCHEMA, "points", 3, reasoning=True)) == CONDITIONAL
    assert conditional_names({}) == frozenset()
    assert conditional_names(BRANCHES) == CONDITIONAL
    assert conditional_names(list_schema(BRANCHES, "points", 3, reasoning=True)) == CONDITIONAL


def test_each_fault_is_against_the_schema_or_beyond_it() -> None:
    for kind in ("unparseable", "truncated", "unknown", "wrong_type", "out_of_range", "not_a_choice", "missing"):
        found = kinds([fault(kind, "C")], SCHEMA)
        assert {name for name, holds in found.items() if holds} == {"within"}
    for kind, column in {"inactive": "inactive", "forbidden": "forbidden", "missing": "missing_active"}.items():
        found = kinds([fault(kind, "gamma")], SCHEMA)
        assert {name for name, holds in found.items() if holds} == {"beyond", column}
    both = kinds([fault("out_of_range", "C"), fault("inactive", "gamma")], SCHEMA)
    assert {name for name, holds in both.items() if holds} == {"within", "beyond", "inactive"}
    assert not any(kinds([], SCHEMA).values())


def test_with_branches_these_are_against_the_schema_too() -> None:
    for kind, column in {"inactive": "inactive", "missing": "missing_active"}.items():
        found = kinds([fault(kind, "gamma")], BRANCHES)
        assert {name for name, holds in found.items() if holds} == {"within", column}
    pair = fault("forbidden", "kernel, degree", {"kernel": "poly", "degree": 5})
    assert kinds([pair], BRANCHES)["within"]
    assert not kinds([pair], BRANCHES)["beyond"]
    assert kinds([pair], SCHEMA)["beyond"]
    assert kinds([pair], None)["beyond"], "no schema is on record"


def test_what_did_not_fit_into_the_branches_is_beyond_the_schema() -> None:
    schema = json_schema(independent(8))
    assert kinds([fault("inactive", "c7", 1)], schema)["beyond"]
    assert kinds([fault("missing", "c7")], schema)["beyond"]
    assert kinds([fault("inactive", "c0", 1)], schema)["within"]


@pytest.mark.parametrize(("value", "fits"), [(0.5, False), (0.25, True), (0.75, True), ("0.5", False), (True, False)])
def test_a_forbidden_value_is_looked_up_in_ranges(value: Any, fits: bool) -> None:
    space = ConfigurationSpace({"x": Float("x", (0.0, 1.0), default=0.25), "y": Integer("y", (0, 3))})
    space.add(ForbiddenAndConjunction(ForbiddenEqualsClause(space["x"], 0.5), ForbiddenEqualsClause(space["y"], 2)))
    assert kinds([fault("forbidden", "x, y", {"x": value, "y": 2})], json_schema(space))["beyond"] == fits


def test_the_form_of_the_schema_is_part_of_the_choice(folder: Path) -> None:
    inactive = [fault("inactive", "degree", 3)]
    _run(folder, "llm_chat+decoding=json_schema+decoding.schema=flat", 0, inactive, inactive, [], [])
    rows = _rows(_found(folder).tables[0], "decoding")
    assert {("free",), ("json_schema",), ("json_schema flat",)} == set(rows)
    assert rows["json_schema flat",]["beyond"] == 0.5
    assert len(_found(folder).said) == 2


def test_validity_of_each_mode(folder: Path) -> None:
    rows = _rows(_found(folder).tables[0], "method", "decoding")
    free, schema = rows["llm_chat", "free"], rows["llm_chat", "json_schema"]
    assert list(rows) == [("llm_chat", "free"), ("llm_chat", "json_schema")]
    assert (free["proposals"], free["invalid"], free["within"], free["beyond"]) == (8, 7 / 8, 7 / 8, 1 / 8)
    assert (schema["proposals"], schema["invalid"], schema["within"], schema["beyond"]) == (8, 3 / 8, 0, 3 / 8)


def test_what_slips_through_by_task(folder: Path) -> None:
    rows = _rows(_found(folder).tables[1], "task", "decoding")
    row = rows["hpobench.credit_g", "json_schema"]
    assert (row["beyond"], row["inactive"], row["forbidden"], row["missing_active"]) == (0.75, 0.25, 0.25, 0.25)
    assert (row["objective"], row["best"]) == ("balanced_accuracy (maximize)", 0.75)
    assert rows["hpobench.credit_g", "free"]["missing_active"] == 0.25
    assert rows["hpobench.kc1", "json_schema"]["beyond"] == 0
    # No schema is on record of a task that was decoded freely alone: what is missing then counts as ruled out.
    _run(folder, "llm_chat", 0, [fault("missing", "gamma")], task="phoneme")
    assert _rows(_found(folder).tables[1], "task", "decoding")["hpobench.phoneme", "free"]["beyond"] == 0


def test_cost_and_quality_of_each_mode(folder: Path) -> None:
    row = _rows(_found(folder).tables[0], "decoding")[("json_schema",)]
    assert (row["call_seconds"], row["proposal_seconds"]) == (2.0, 3.0)
    assert (row["prompt_tokens"], row["completion_tokens"]) == (250, 10)
    assert (row["measure"], row["variant"]) == ("regret", pytest.approx(0.5))
    free = _rows(_found(folder).tables[0], "decoding")[("free",)]
    assert free["variant"] == pytest.approx((0.5 + 3) / 2), "nothing valid on kc1 counts with the worst value"


def test_a_call_that_was_tried_twice_is_two(tmp_path: Path) -> None:
    for method in ("llm_chat", "llm_chat+decoding=json_object"):
        row = trial(0, 0.75, usage=_usage(2, 100, 10, 3.0), ask_seconds=4.0)
        write_run(tmp_path, method, 0, [row, trial(1, 0.7, usage=_usage(1, 50, 30, 3.0))])
    row = _rows(_found(tmp_path).tables[0], "decoding")[("json_object",)]
    assert (row["call_seconds"], row["prompt_tokens"], row["completion_tokens"]) == (2.0, 75, 20)


def test_without_calls_their_latency_means_nothing(tmp_path: Path) -> None:
    for method in ("llm_chat", "llm_chat+decoding=json_object"):
        write_run(tmp_path, method, 0, [trial(0, 0.75)])
    (table,) = _found(tmp_path).tables  # nothing is beyond a schema
    assert {row[cells(table).headers.index("per call (s)")] for row in cells(table).rows} == {"–"}


def test_the_sentence_says_what_the_schema_leaves(folder: Path) -> None:
    (sentence,) = _found(folder).said
    assert sentence.startswith("decoding=json_schema leaves 37.5 % [")
    assert "of llm_chat's proposals invalid, versus 87.5 % [" in sentence
    assert "with free; 37.5 % [" in sentence


def test_one_mode_alone_is_not_compared(tmp_path: Path) -> None:
    _run(tmp_path, "llm_chat+decoding=json_schema", 0, [])
    write_run(tmp_path, "smac", 0, [trial(0, 0.7)])
    assert _found(tmp_path) == Findings()
