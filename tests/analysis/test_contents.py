"""Tables and figures come from the files of their folders, each with a place of its own."""

from __future__ import annotations

import pytest

import analysis.figures
import analysis.tables
from analysis.report.contents import _of_files


@pytest.mark.parametrize(("room", "name"), [(analysis.tables, "TABLE"), (analysis.figures, "FIGURE")])
def test_no_two_files_share_a_place(room, name):
    orders = [entry.order for entry in _of_files(room, name)]
    assert orders == sorted(set(orders))
