"""The table of distances to the levels that scored: only where there are any, and by hand where there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.present.table import Findings
from analysis.runs.load import load
from analysis.stats.material import Material
from analysis.tables.snapped import snapped_findings
from tests.support.run_folders import trial, write_run


def snapped(index: int, mean: float, largest: float) -> dict[str, object]:
    return trial(index, 0.7, metrics={"f1": 0.5, "snap_steps": mean, "snap_steps_max": largest})


def test_the_table_by_hand(tmp_path: Path) -> None:
    write_run(tmp_path, "smac", 0, [snapped(0, 0.0, 0.0), snapped(1, 0.1, 0.4), trial(2), snapped(3, 0.2, 0.3)])
    write_run(tmp_path, "random_search", 0, [snapped(0, 0.0, 0.0)])
    experiment = load(tmp_path)
    (table,) = snapped_findings(Material(experiment)).tables
    rows = {row["method"]: row for row in table.frame.iter_rows(named=True)}
    row = rows["smac"]
    assert (row["evaluated"], row["off"], row["largest"]) == (3, pytest.approx(2 / 3), 0.4)
    assert row["mean"] == pytest.approx(0.1)
    assert (rows["random_search"]["off"], rows["random_search"]["largest"]) == (0.0, 0.0)


def test_without_distances_there_is_no_table(tmp_path: Path) -> None:
    write_run(tmp_path, "smac", 0, [trial(0, 0.7), trial(1, 0.7, metrics={"snap_steps": None, "snap_steps_max": None})])
    experiment = load(tmp_path)
    assert snapped_findings(Material(experiment)) == Findings()
