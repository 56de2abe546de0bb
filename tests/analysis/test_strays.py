"""The table of numbers that are none of the levels: by hand, and only where the rows know of a grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.present.table import Findings
from analysis.runs.load import load
from analysis.stats.material import Material
from analysis.tables.strays import stray_findings
from harness.faults import catalogue
from tests.support.run_folders import fault, trial, write_run


def off(name: str, value: float, steps: float, confused: str | None = None) -> dict[str, Any]:
    return fault("off_grid", name, value) | {"steps": steps} | ({"confused": confused} if confused else {})


def rows() -> list[dict[str, Any]]:
    charged = [
        [off("alpha", 0.05, 0.3), off("rate", 0.5, 0.1, "alpha")],
        [fault("not_a_choice", "alpha", 7) | {"confused": "depth"}],
        [fault("not_a_choice", "kernel", "rfb"), fault("not_a_choice", "flag", True), fault("unknown", "x", 3)],
        [off("alpha", 0.06, 0.5)],
    ]
    return [trial(index, violations=violations) for index, violations in enumerate(charged)]


def test_the_table_by_hand(tmp_path: Path) -> None:
    write_run(tmp_path, "llm_chat", 0, [*rows(), trial(4, 0.7)], faults=catalogue())
    write_run(tmp_path, "random_search", 0, [trial(0, 0.7)])
    experiment = load(tmp_path)
    (table,) = stray_findings(Material(experiment)).tables
    found = {row["method"]: row for row in table.frame.iter_rows(named=True)}
    row = found["llm_chat"]
    assert (row["off"], row["outside"], row["confused"]) == (3, 1, 0.5)
    assert row["mean"] == pytest.approx(0.3)
    row = found["random_search"]
    assert (row["off"], row["mean"], row["outside"], row["confused"]) == (0, None, 0, None)


def test_runs_that_knew_no_grid_are_not_measured_and_without_strays_there_is_no_table(tmp_path: Path) -> None:
    older = [trial(0, violations=[fault("not_a_choice", "alpha", 0.05)])]
    write_run(tmp_path / "older", "llm_chat", 0, older, faults=[])
    write_run(tmp_path / "valid", "llm_chat", 0, [trial(0, 0.7)])
    for name in ("older", "valid"):
        experiment = load(tmp_path / name)
        assert stray_findings(Material(experiment)) == Findings()
