"""Rendered tables: number by number, and as golden files.

HYPERBOLE_RENEW=1 .venv/bin/python -m pytest tests/analysis/test_render.py   writes the golden files anew; read the
difference before keeping it. Intervals may move in the last digit when NumPy changes its generators.
"""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import polars as pl
import pytest

from analysis.present import render
from analysis.present.render import comma_separated, latex, markdown, number_text, wrapped
from analysis.present.table import Column, Table
from analysis.present.terminal import WIDEST, print_table, terminal_console
from analysis.runs.comparison import compare
from analysis.runs.escape import escape_latex
from analysis.runs.load import load
from analysis.stats.fronts import fronts
from analysis.tables.cost import cost_table
from analysis.tables.failures import failures_table
from analysis.tables.generalization import generalization_table, incumbents
from analysis.tables.hallucination import hallucination_table
from analysis.tables.leak import leak_pairs, leak_table
from analysis.tables.pareto_table import pareto_table
from analysis.tables.quality import quality_table
from analysis.tables.quality_by_task import quality_by_task_table
from tests.support.run_folders import noisy_experiment, noisy_trade_offs

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.2, "0.200"),
        (0.0123456, "0.0123"),
        (1.0, "1.00"),
        (12.345, "12.3"),
        (123.4, "123"),
        (999.6, "1,000"),
        (12345.6, "12,300"),
        (-0.5, "-0.500"),
        (0.0000123, "1.23e-05"),
        (float("inf"), "∞"),
    ],
)
def test_three_significant_digits(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    experiment = load(noisy_experiment(tmp_path_factory.mktemp("runs") / "golden"))
    comparison = compare(experiment)
    made = [
        quality_table(experiment, comparison),
        quality_by_task_table(experiment, comparison),
        hallucination_table(experiment),
        cost_table(experiment),
    ]
    trade_offs = load(noisy_trade_offs(tmp_path_factory.mktemp("runs") / "golden"))
    comparison = compare(trade_offs)
    tested = incumbents(trade_offs)
    failures = failures_table(trade_offs)
    assert failures is not None
    made += [
        pareto_table(fronts(trade_offs, comparison)),
        generalization_table(trade_offs, comparison, tested),
        leak_table(leak_pairs(trade_offs, tested)),
        failures,
    ]
    return {table.name: table for table in made}


NAMES = ("quality", "quality_by_task", "hallucination", "cost", "pareto", "generalization", "leak", "failures")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["md", "tex", "csv"])
def test_golden_files(tables: dict[str, Table], name: str, ending: str) -> None:
    renderer = {"md": markdown, "tex": latex, "csv": comma_separated}[ending]
    text = renderer(tables[name])
    path = GOLDEN / f"{name}.{ending}"
    if os.environ.get("HYPERBOLE_RENEW") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


def test_latex_escapes_what_latex_would_read() -> None:
    assert escape_latex(r"a_b+c=d 50% {x} \y $z$ #1 & ~^") == (
        r"a\_b+c=d 50\% \{x\} \textbackslash{}y \$z\$ \#1 \& \textasciitilde{}\textasciicircum{}"
    )


def _table(method: str) -> Table:
    frame = pl.DataFrame({"method": [method], "share": [None]}, schema={"method": pl.String, "share": pl.Float64})
    return Table("t", "T", frame, (Column("method", ("method",), "text"), Column("share (%)", ("share",), "percent")))


def test_markdown_cells_cannot_break_the_table() -> None:
    assert r"a\|b \<script>" in markdown(_table("a|b <script>"))


def test_not_measured_is_printed_and_null_in_csv() -> None:
    assert "not measured" in markdown(_table("a"))
    assert "not measured" in latex(_table("a"))
    assert list(csv.reader(io.StringIO(comma_separated(_table("a"))))) == [["method", "share"], ["a", ""]]


def test_markdown_columns_are_aligned(tables: dict[str, Table]) -> None:
    lines = [line for line in markdown(tables["cost"]).splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1


def test_latex_rows_have_a_cell_a_column(tables: dict[str, Table]) -> None:
    body = latex(tables["hallucination"]).split("\\midrule\n")[1].split("\\bottomrule")[0]
    width = len(tables["hallucination"].columns)
    assert [line.count(" & ") + 1 for line in body.strip().splitlines()] == [width] * 4


def test_the_terminal_shows_every_cell_within_120_columns(
    tables: dict[str, Table], capsys: pytest.CaptureFixture[str]
) -> None:
    for table in tables.values():
        print_table(terminal_console(is_terminal=False), table)
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= WIDEST
    assert "\x1b" not in text
    printed = set(text.split())
    wanted = {
        piece for table in tables.values() for row in render.cells(table).rows for cell in row for piece in cell.split()
    }
    assert wanted <= printed


def test_long_method_names_break_before_their_variants() -> None:
    assert wrapped("llm_chat+decoding=json_schema+repair=clamp", 30) == "llm_chat+decoding=json_schema\n+repair=clamp"
    assert wrapped("smac") == "smac"
