"""Models by size, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.figures.figures import draw
from analysis.figures.ladder_figure import ladder_sketches
from analysis.present.render import cells
from analysis.runs.comparison import compare
from analysis.runs.load import labelled, load
from analysis.stats.material import Material
from analysis.tables.ladder import ladder_findings, lines, rungs
from analysis.tables.ladder_short import short_ladder_findings
from tests.support.run_folders import USAGE, call, fault, trial, write_run

SMALL, LARGE = "smollm2-135m-instruct", "qwen2.5-coder-1.5b-instruct"
GRID, NEAREST = {"benchmark": {"space": "grid"}}, {"benchmark": {"space": "nearest"}}


def run(folder, method, faults, model=None, seed=0, task="credit_g", config=GRID, mode="free", **changes):
    """A trial for each list of faults; one without any comes out at 0.75. The first one is a start's."""
    rows = [trial(0, 0.6, proposer="start")]
    for index, kinds in enumerate(faults, start=1):
        usage = USAGE | ({"calls": 1, "prompt_tokens": 100, "completion_tokens": 20, "seconds": 1.0} if model else {})
        violations = [fault(kind, "depth", 9) for kind in kinds]
        row = trial(index, None if kinds else 0.75, violations=violations, usage=usage, ask_seconds=3.0)
        rows.append(row | {"proposer": "model" if model else "random", "calls": [index - 1] if model else []})
    calls = [call(index, "{}") for index in range(len(faults))] if model else []
    settings = {"llm": {"model": model}, "decoding": {"mode": mode}} if model else {}
    changes = {"llm": "any" if model else None, "config": config | settings, **changes}
    write_run(folder, method, seed, rows, calls, task=task, **changes)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "ladder"
    for seed in (0, 1):
        run(folder, "llm_chat", [["unknown", "off_grid"], ["unparseable"], []], SMALL, seed)
        run(folder, "llm_chat+llm=large", [["off_grid"], [], []], LARGE, seed)
        run(folder, "random_search", [[], [], []], seed=seed)
    run(folder, "llm_chat+llm=large+decoding=json_schema", [["inactive"], [], []], LARGE, mode="json_schema")
    run(folder, "llm_chat+llm=own", [["unknown"], [], []], "org/own-7B")
    run(folder, "llm_chat+prompt=ranges", [["out_of_range"]] * 3, SMALL, task="credit_g+space=nearest", config=NEAREST)
    return folder


def test_every_size_beside_the_controls_on_each_kind_of_tasks(folder):
    experiment = labelled(load(folder))
    (table,) = ladder_findings(Material(experiment)).tables
    rows = list(table.frame.iter_rows(named=True))
    assert [(row["tasks"], row["method"]) for row in rows] == [
        ("hpobench grid", "SmolLM2 135M, free"),
        ("hpobench grid", "Qwen2.5-Coder 1.5B, free"),
        ("hpobench grid", "Qwen2.5-Coder 1.5B, schema"),
        ("hpobench grid", "random search"),
        ("hpobench nearest", "SmolLM2 135M, free, ranges"),
    ]
    small, large, schema, control, ranges = rows
    assert small["parameters_million"] == pytest.approx(134.515008)
    assert (small["model"], small["decoding"], small["settings"]) == ("SmolLM2 135M", "free", "plain")
    assert (ranges["settings"], ranges["out_of_range"], ranges["invented"]) == ("ranges", 1, 1)
    assert (small["runs"], small["proposals"]) == (2, 6), "a start's trial is nobody's proposal"
    shares = [[row[key] for key in ("invented", "unknown", "imprecise", "redundant", "unreadable")] for row in rows[:3]]
    assert shares == [[1 / 3, 1 / 3, 1 / 3, 0, 1 / 3], [0, 0, 1 / 3, 0, 0], [0, 0, 0, 1 / 3, 0]]
    assert [row["invalid"] for row in rows] == [2 / 3, 1 / 3, 1 / 3, 0, 1]
    assert (large["tokens"], large["proposal_seconds"]) == (120, 3)
    assert {row["measure"] for row in rows} == {"regret"}
    assert small["score"] == large["score"] == control["score"] < ranges["score"]
    assert (3, "tokens") in table.inapplicable
    assert schema["score"] is not None


def test_a_short_table_of_each_kind_of_tasks(folder):
    experiment = labelled(load(folder))
    grid, nearest = short_ladder_findings(Material(experiment)).tables
    assert (grid.name, nearest.name) == ("ladder_hpobench_grid", "ladder_hpobench_nearest")
    text = cells(grid)
    assert text.headers[1:] == ("hallucination rate (%)", "invalid rate (%)", "final regret", "tokens per proposal")
    assert [row[0] for row in text.rows] == [
        "SmolLM2 135M, free",
        "Qwen2.5-Coder 1.5B, free",
        "Qwen2.5-Coder 1.5B, schema",
        "random search",
    ]
    assert text.rows[0][1].startswith("33.3 [")
    assert text.rows[0][4] == "120"
    assert text.rows[3][4] == "–", "it has no tokens"
    assert [row[0] for row in cells(nearest).rows] == ["SmolLM2 135M, free, ranges"]


def test_no_ladder_no_short_table(folder):
    experiment = labelled(load(folder))
    alone = replace(experiment, runs=[run for run in experiment.runs if run.info["llm"] is None])
    assert short_ladder_findings(Material(alone)).tables == ()


def test_what_is_left_out_and_uneven_is_said(folder):
    experiment = labelled(load(folder))
    found = ladder_findings(Material(experiment))
    notes = " ".join(found.tables[0].notes)
    assert "Left out, because the size of their model is not in the catalogue: own-7B, free." in notes
    assert "hpobench grid: rows are over different runs" in notes
    assert "not measured" not in notes
    assert found.said[0].startswith("Hallucination rate by size (hpobench grid, free): 33.3 % [")
    assert found.said[0].endswith("] with Qwen2.5-Coder 1.5B.")
    assert len(found.said) == 1


def test_one_size_is_no_ladder(tmp_path):
    run(tmp_path / "one", "llm_chat", [[]], SMALL)
    run(tmp_path / "one", "llm_chat+decoding=json_schema", [[]], SMALL, mode="json_schema")
    run(tmp_path / "one", "smac", [[]])
    experiment = load(tmp_path / "one")
    comparison = compare(experiment)
    assert rungs(experiment, comparison) == ()
    assert not ladder_findings(Material(experiment)).tables
    assert ladder_sketches(Material(experiment)) == ()


def test_other_methods_with_models_have_lines_of_their_own(tmp_path):
    for method in ("llm_chat", "llambo"):
        for model, suffix in ((SMALL, ""), (LARGE, "+llm=large")):
            run(tmp_path / "two", method + suffix, [[]], model)
    experiment = load(tmp_path / "two")
    found = lines(rungs(experiment, compare(experiment)))
    assert {line: len(of_line) for line, of_line in found.items()} == {
        "hpobench grid, free": 2,
        "hpobench grid, llambo, free": 2,
    }


def test_the_figure_is_drawn_also_where_a_method_found_nothing(folder):
    run(folder, "llm_chat+llm=middle", [["unknown"]] * 3, "qwen2.5-coder-0.5b-instruct")
    experiment = labelled(load(folder))
    (sketch,) = ladder_sketches(Material(experiment))
    svg, png = draw(sketch.figure_of, sketch.name, Material(experiment))
    assert svg.startswith("<?xml")
    assert len(png) > 10_000
