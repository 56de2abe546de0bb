"""Claims of reasons against what was proposed: verdicts, the table, the figure, the files and the page."""

from __future__ import annotations

import csv
import json

import pytest

from analysis.figures.figures import draw
from analysis.figures.reasons_figure import reason_sketches
from analysis.report.outputs import publish
from analysis.runs.load import load
from analysis.runs.reasoned import verdict
from analysis.stats.material import Material
from analysis.tables.reasons import consistency_findings, kept_by_chance
from tests.support.run_folders import USAGE, fault, trial, write_run

ASKED = {"usage": USAGE | {"calls": 1, "prompt_tokens": 9, "completion_tokens": 9}, "calls": [0]}


def proposal(index, depth, reason, value=0.7, alpha=0.1, **changes):
    params = {"depth": depth, "alpha": alpha, "kernel": "rbf"}
    row = trial(index, value, proposed=params, reason=reason, **ASKED)
    return row | {"executed": None if value is None else params} | changes


def reasoned(folder, rows, method="llm_chat", seed=0):
    write_run(folder, method, seed, rows)
    return Material(load(folder))


def test_claims_are_judged_by_the_change_from_the_last_evaluated_configuration(tmp_path):
    rows = [
        proposal(0, 2, "Increase the depth."),
        proposal(1, 3, "Increase the depth; lower alpha.", alpha=0.2),
        proposal(2, 9, "Increase the depth.", None, violations=[fault("out_of_range", "depth", 9)]),
        proposal(3, 3, "Less depth, the same alpha.", alpha=0.2),
        proposal(4, 4, None),
        proposal(5, "4", "Lower depth. A larger kernel. Keep alpha.", None, violations=[fault("wrong_type", "depth")]),
        trial(6, reason="Increase depth", proposed=None, violations=[fault("unparseable")], **ASKED),
    ]
    (found,) = reasoned(tmp_path / "runs", rows).reasons.values()
    assert [each.verdicts for each in found] == [
        {},
        {"depth": "kept", "alpha": "opposite"},
        {"depth": "kept"},
        {"depth": "unchanged", "alpha": "kept"},
        {},
        {"alpha": "kept"},
        {},
    ]
    assert found[5].claims == {"depth": "down", "kernel": "up", "alpha": "same"}
    assert found[3].shown == rows[1]["executed"]


def test_a_batch_is_judged_by_what_was_shown_when_it_was_asked_for(tmp_path):
    free = {"usage": USAGE}
    rows = [
        proposal(0, 2, None),
        proposal(1, 5, "higher depth"),
        proposal(2, 4, "higher depth", **free),
        proposal(3, 4, "lower depth"),
    ]
    (found,) = reasoned(tmp_path / "runs", rows).reasons.values()
    assert [each.verdicts.get("depth") for each in found] == [None, "kept", "kept", "unchanged"]


def test_proposals_of_no_model_are_not_judged(tmp_path):
    rows = [proposal(0, 2, None), proposal(1, 3, None, calls=[], usage=USAGE), proposal(2, 4, "more depth")]
    (found,) = reasoned(tmp_path / "runs", rows).reasons.values()
    assert [each.changes for each in found][1] == {}
    assert found[2].verdicts == {"depth": "kept"}


@pytest.mark.parametrize(
    ("claim", "change", "said"),
    [
        ("up", "up", "kept"),
        ("up", "down", "opposite"),
        ("down", "same", "unchanged"),
        ("same", "same", "kept"),
        ("same", "up", "opposite"),
    ],
)
def test_verdicts(claim, change, said):
    assert verdict(claim, change) == said


@pytest.mark.parametrize("value", [True, None, "3", 10**400, "NaN", [1]])
def test_a_value_that_is_no_number_cannot_be_judged(tmp_path, value):
    rows = [proposal(0, 2, None), proposal(1, value, "more depth", None, violations=[fault("wrong_type", "depth")])]
    (found,) = reasoned(tmp_path / "runs", rows).reasons.values()
    assert found[1].verdicts == {}


def ups_and_downs(seed=0):
    """Depths 2 4 3 5 4 6 with reasons that always say what is done: up, down, up, down, up."""
    depths = [2, 4, 3, 5, 4, 6]
    said = [None, *("A higher depth <b>now</b>" if i % 2 == 0 else "A lower depth" for i in range(5))]
    return [proposal(i, depth, why) for i, (depth, why) in enumerate(zip(depths, said, strict=True))]


def test_chance_holds_each_claim_against_the_other_changes_of_its_run(tmp_path):
    (found,) = reasoned(tmp_path / "runs", ups_and_downs()).reasons.values()
    # Changes: up, down, up, down, up. An up is kept by 2 of the other 4, a down by 1 of 4.
    assert kept_by_chance(found) == pytest.approx((3 * 2 / 4 + 2 * 1 / 4) / 5)
    assert kept_by_chance(found[:2]) is None


def test_the_table_counts_and_says_so(tmp_path):
    folder = tmp_path / "runs"
    write_run(folder, "random_search", 0, [trial(0, 0.7)])
    write_run(folder, "llm_plain", 0, [trial(0, 0.7, **ASKED)])
    write_run(folder, "llm_chat", 1, ups_and_downs()[:3])
    findings = consistency_findings(reasoned(folder, ups_and_downs()))
    ((row,), table) = findings.tables[0].frame.to_dicts(), findings.tables[0]
    assert row["method"] == "llm_chat"
    assert (row["proposals"], row["claims"], row["judged"]) == (9, 7, 7)
    assert row["with_reason"] == row["with_claim"] == pytest.approx(7 / 9)
    assert (row["kept"], row["unchanged"], row["opposite"]) == (1.0, 0.0, 0.0)
    assert row["kept_lower"] < 1.0 == row["kept_upper"]
    assert row["chance"] == pytest.approx((5 * 2 / 5 + 0 + 0) / 7)
    assert "chance" in " ".join(table.notes)
    assert findings.said == (
        "llm_chat: 100 % of the 7 directions that its reasons name agree with its proposals, versus 28.6 % by chance.",
    )


def test_without_reasons_there_is_nothing(tmp_path):
    write_run(tmp_path / "runs", "llm_chat", 0, [trial(0, 0.7, **ASKED)])  # an older row: no such column
    of = Material(load(tmp_path / "runs"))
    assert of.reasons == {}
    assert consistency_findings(of).tables == ()
    assert reason_sketches(of) == ()


@pytest.mark.filterwarnings("error")
def test_reasons_without_claims_have_a_table_and_no_figure(tmp_path):
    of = reasoned(tmp_path / "runs", [proposal(0, 2, "Why not."), proposal(1, 3, "It is fine.")])
    findings = consistency_findings(of)
    assert findings.said == ()
    assert findings.tables[0].frame["kept"].to_list() == findings.tables[0].frame["chance"].to_list() == [None]
    assert reason_sketches(of) == ()


@pytest.mark.filterwarnings("error")
def test_the_figure_stacks_verdicts_and_marks_chance(tmp_path):
    of = reasoned(tmp_path / "runs", [*ups_and_downs(), proposal(6, 7, "A lower depth, the same alpha.")])
    experiment = load(tmp_path / "runs")
    (sketch,) = reason_sketches(of)
    figure = sketch.figure_of(Material(experiment))
    bars = {bar.get_label(): bar.patches[0].get_width() for bar in figure.axes[0].containers}
    assert bars == pytest.approx({"kept": 600 / 7, "unchanged": 0, "opposite": 100 / 7})
    (mark,) = figure.axes[0].lines
    assert mark.get_xdata()[0] == pytest.approx(100 * kept_by_chance(of.reasons["llm_chat"]))
    assert draw(sketch.figure_of, "reasons", Material(experiment))[1].startswith(b"\x89PNG")


def test_every_reason_can_be_read_and_does_nothing(tmp_path):
    folder = tmp_path / "runs"
    rows = ups_and_downs()
    rows[2]["reason"] = '=HYPERLINK("x") lower depth </pre><script>alert(1)</script> \u202e\ud800'
    write_run(folder, "llm_chat", 0, rows)
    html = publish(folder, folder).read_text(encoding="utf-8")
    assert "A higher depth &lt;b&gt;now&lt;/b&gt;" in html
    assert "<script>alert" not in html
    assert "⟨U+202E⟩" in html
    assert 'href="../tables/reasons.csv"' in html
    with (folder / "tables/reasons.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [int(row["trial"]) for row in found] == [1, 2, 3, 4, 5]
    assert json.loads(found[1]["reason"]) == rows[2]["reason"]
    assert json.loads(found[1]["verdicts"]) == {"depth": "kept"}
    assert json.loads(found[1]["proposed"]) == rows[2]["proposed"]
    assert not any(cell.startswith("=") for row in found for cell in row.values())
    assert {path.stem for path in (folder / "figures").iterdir()} >= {"reasons", "anytime_seconds", "anytime_tokens"}


def test_a_level_by_its_short_name_is_no_change(tmp_path):
    level = {"alpha": 0.0016681006}
    rows = [
        proposal(0, 2, None, alpha=level["alpha"]),
        proposal(1, 2, "the same alpha", alpha=0.0017, executed={"depth": 2, "kernel": "rbf", **level}),
    ]
    (found,) = reasoned(tmp_path / "runs", rows).reasons.values()
    assert found[1].verdicts == {"alpha": "kept"}
