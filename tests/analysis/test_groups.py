"""The four groups of faults in tables, counted by hand; old rows are read as what they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.figures.fault_figure import filed_shares
from analysis.report.report import group_exhibits
from analysis.runs.comparison import compare
from analysis.runs.load import load
from analysis.tables.hallucination import hallucination_table
from analysis.tables.headline import headlines
from analysis.tables.invalid_proposals import exhibits
from analysis.tables.quality import quality_table
from harness.faults import GROUP_OF, UNSURE, Group, filed
from harness.trial import Fault
from tests.support.run_folders import fault, trial, write_run

OLD = ["unparseable", "not_a_choice"]
"""What run.json might list of a run that was judged before off_grid was a fault; the oldest list nothing."""
NUMBER, TEXT = fault("not_a_choice", "width", 100), fault("not_a_choice", "kernel", "rbff")


def one(folder: Path, violations, **changes):
    rows = [trial(index, 0.7 if not each else None, violations=each) for index, each in enumerate(violations)]
    write_run(folder, "llm_chat", 0, rows, **changes)
    return load(folder)


def rates(experiment):
    row = hallucination_table(experiment).frame.row(0, named=True)
    return {str(group): row[group] for group in Group} | {"invalid": row["invalid"]}


def test_shares_of_groups_by_hand(tmp_path):
    several = [fault("inactive", "gamma", 1), fault("off_grid", "width", 100), fault("out_of_range", "depth", 9)]
    experiment = one(tmp_path / "x", [several, [fault("off_grid", "width", 100)], [fault("missing", "depth")], []])
    assert rates(experiment) == {
        "invented": 0.25,
        "imprecise": 0.5,
        "redundant": 0.25,
        "unreadable": 0.25,
        "invalid": 0.75,
    }
    assert filed_shares(experiment) == {"llm_chat": {"out_of_range": 0.25, "off_grid": 0.25, "missing": 0.25}}
    (said,) = headlines(experiment, quality_table(experiment, compare(experiment)), hallucination_table(experiment))
    assert "75.0 % [30.1, 95.4] of its 4 proposals were invalid; its hallucination rate is 25.0 % [4.56, 69.9]." in said
    assert quality_table(experiment, compare(experiment)).frame["invented"][0] == 0.25


def test_a_log_that_does_not_say_what_is_off_the_grid_has_no_hallucination_rate(tmp_path):
    experiment = one(tmp_path / "x", [[NUMBER], [fault("inactive", "gamma", 1)], []], faults=OLD)
    assert rates(experiment) == {
        "invented": None,
        "imprecise": None,
        "redundant": 1 / 3,
        "unreadable": 0,
        "invalid": 2 / 3,
    }
    notes = " ".join(hallucination_table(experiment).notes)
    assert "not measured for older runs that did not distinguish numbers between levels" in notes
    assert "(runs: llm_chat: 1)" in notes
    (said,) = headlines(experiment, quality_table(experiment, compare(experiment)), hallucination_table(experiment))
    assert "were invalid; the hallucination rate is not measured." in said
    assert filed_shares(experiment)["llm_chat"] == {UNSURE: 1 / 3, "inactive": 1 / 3}
    (group,) = group_exhibits(exhibits(experiment))
    assert list(group.faults) == ["redundant: inactive", "not a choice or off grid"]


def test_an_old_log_whose_faults_are_certain_has_its_rates(tmp_path):
    experiment = one(tmp_path / "x", [[TEXT], [fault("unknown", "x", 1)], []], faults=[])
    assert (rates(experiment)["invented"], rates(experiment)["imprecise"]) == (2 / 3, 0)
    assert "not measured" not in " ".join(hallucination_table(experiment).notes)


def test_what_is_certainly_invented_is_so_beside_what_is_not_known():
    found = filed([NUMBER, fault("unknown", "x", 1)], knew=False)
    assert (found.groups[Group.INVENTED], found.groups[Group.IMPRECISE], found.fault) == (True, None, "unknown")


@pytest.mark.parametrize("kind", list(Fault))
def test_every_fault_is_of_one_group(kind):
    found = filed([fault(kind.value, "x", "y")])
    assert [group for group, has in found.groups.items() if has] == [GROUP_OF[kind]]
    assert found.fault == kind.value


def test_nothing_wrong_is_of_no_group():
    assert filed([]) == filed([], knew=False)
    assert (set(filed([]).groups.values()), filed([]).fault) == ({False}, None)
