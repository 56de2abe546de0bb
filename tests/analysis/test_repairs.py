"""What a repair would hide, by hand. Optimum 0.8, one random configuration 0.7: regret is (0.8 - value) / 0.1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from analysis.present.render import cells
from analysis.present.table import Findings
from analysis.runs.load import load
from analysis.stats.material import Material
from analysis.tables.repairs import repair_findings
from tests.support.run_folders import OBJECTIVE, fault, trial, write_run

UNKNOWN = [OBJECTIVE | {"optimum": None}]


def _run(folder: Path, method: str, seed: int, values: Sequence[float | str | None], **changes: Any) -> None:
    """A value: valid; "0.7": invalid, repaired, and that came out; None: invalid and not executed."""
    repair = method.partition("repair=")[2].partition("+")[0] or None
    rows = []
    for index, value in enumerate(values):
        row = trial(index, None if value is None else float(value))
        if not isinstance(value, float):
            row |= {"violations": [fault("out_of_range", "alpha", 7)], "repair": None if value is None else repair}
        rows.append(row)
    write_run(folder, method, seed, rows, **changes)


def _found(folder: Path) -> Findings:
    experiment = load(folder)
    return repair_findings(Material(experiment))


def _rows(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    (table,) = _found(folder).tables
    return {(row["method"], row["repair"]): row for row in table.frame.iter_rows(named=True)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _run(tmp_path, "llm_chat", 0, [0.7, None, None, None])  # regret 1
    _run(tmp_path, "llm_chat", 1, [None, None, 0.6, 0.75])  # regret 0.5
    _run(tmp_path, "llm_chat+repair=nearest", 0, [0.7, "0.75", "0.6", None])  # regret 0.5
    _run(tmp_path, "llm_chat+repair=nearest", 1, ["0.78", None, "0.6", 0.75])  # regret 0.2
    return tmp_path


def test_shares_before_and_after_the_repair(folder: Path) -> None:
    rows = _rows(folder)
    none, nearest = rows["llm_chat", "none"], rows["llm_chat", "nearest"]
    assert (none["proposals"], none["invalid"], none["executed"], none["left"]) == (8, 5 / 8, 3 / 8, 5 / 8)
    assert none["repaired"] == 0
    assert (nearest["invalid"], nearest["executed"], nearest["left"]) == (6 / 8, 6 / 8, 2 / 8) == (0.75, 0.75, 0.25)
    assert nearest["repaired"] == pytest.approx(4 / 6)
    assert (none["invalid_lower"], none["invalid_upper"]) == (0.5, 0.75), "whole runs are resampled"


def test_quality_and_its_difference_run_by_run(folder: Path) -> None:
    rows = _rows(folder)
    none, nearest = rows["llm_chat", "none"], rows["llm_chat", "nearest"]
    assert (none["measure"], none["runs"], nearest["runs"]) == ("regret", 2, 2)
    assert (none["variant"], nearest["variant"]) == pytest.approx((0.75, 0.35))
    assert nearest["difference"] == pytest.approx(-0.4)
    assert (nearest["difference_lower"], nearest["difference_upper"]) == pytest.approx((-0.5, -0.3))
    assert none["difference"] is None


def test_the_difference_rests_on_shared_seeds_alone(folder: Path) -> None:
    _run(folder, "llm_chat+repair=random", 1, ["0.6", "0.6", "0.6", 0.7])  # regret 1 against 0.5
    _run(folder, "llm_chat+repair=random", 7, [0.8])
    row = _rows(folder)["llm_chat", "random"]
    assert (row["proposals"], row["runs"]) == (5, 1)
    assert (row["variant"], row["difference"], row["difference_lower"]) == (pytest.approx(1), pytest.approx(0.5), None)


def test_prompts_and_budgets_are_families_of_their_own(folder: Path) -> None:
    for base in ("llm_chat+prompt=no_feedback", "llm_chat+budget=evaluations"):
        first, *rest = base.split("+")
        clamped = "+".join([first, *(part for part in rest if part.startswith("prompt")), "repair=clamp"])
        clamped += "".join(f"+{part}" for part in rest if part.startswith("budget"))
        _run(folder, base, 0, [None, 0.8])
        _run(folder, clamped, 0, ["0.7", 0.7])
    rows = _rows(folder)
    assert list(rows) == [
        *(("llm_chat", choice) for choice in ("none", "nearest")),
        *(("llm_chat+budget=evaluations", choice) for choice in ("none", "clamp")),
        *(("llm_chat+prompt=no_feedback", choice) for choice in ("none", "clamp")),
    ]
    assert rows["llm_chat+budget=evaluations", "clamp"]["difference"] == pytest.approx(1)


def test_what_has_no_meaning_is_a_dash_and_what_is_missing_is_not_measured(tmp_path: Path) -> None:
    _run(tmp_path, "llm_chat+repair=clamp", 0, [None, None])
    _run(tmp_path, "llm_chat+repair=random", 0, ["0.7", "0.6"])
    (table,) = _found(tmp_path).tables
    clamp, random = cells(table).rows
    shown = dict(zip(cells(table).headers, clamp, strict=True))
    assert shown["repaired of executed (%)"] == "–"
    assert shown["minus repair=none"] == "not measured", "repair=none was not run"
    assert dict(zip(cells(table).headers, random, strict=True))["repaired of executed (%)"] == "100"
    _run(tmp_path, "llm_chat", 0, [0.7])
    none = dict(zip(cells(table).headers, cells(_found(tmp_path).tables[0]).rows[0], strict=True))
    assert (none["repair"], none["minus repair=none"]) == ("none", "–")


def test_without_a_known_regret_losses_are_compared(tmp_path: Path) -> None:
    _run(tmp_path, "llm_chat", 0, [0.7], objectives=UNKNOWN)
    _run(tmp_path, "llm_chat+repair=clamp", 0, ["0.75"], objectives=UNKNOWN)
    row = _rows(tmp_path)["llm_chat", "clamp"]
    assert row["measure"] == "loss (balanced_accuracy)"
    assert (row["variant"], row["difference"]) == pytest.approx((-0.75, -0.05))
    assert any(note.startswith("Loss: ") for note in _found(tmp_path).tables[0].notes)


def test_the_sentence_names_the_policy_that_hides_most(folder: Path) -> None:
    _run(folder, "llm_chat+repair=clamp", 0, ["0.7", None, None, None])
    (sentence,) = _found(folder).said
    assert sentence.startswith("Of llm_chat's invalid proposals repair=nearest would hide the most: 75.0 % [")
    assert "of its 8 proposals were invalid before and 25.0 % after the repair" in sentence
    assert "final regret differs from that of repair=none by -0.400 [-0.500, -0.300]" in sentence


def test_nothing_is_said_where_nothing_is_hidden_or_repaired(tmp_path: Path) -> None:
    _run(tmp_path, "smac", 0, [0.7])
    _run(tmp_path, "llm_chat", 0, [None])
    assert _found(tmp_path) == Findings()
    _run(tmp_path, "smac+repair=clamp", 0, [0.7])
    assert _found(tmp_path).said == ()
