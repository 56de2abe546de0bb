"""Text of others in cells of CSV, Markdown and LaTeX: shown as it is, executed nowhere."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.present.render import comma_separated, latex, markdown
from analysis.present.table import Column, Table, frame_of
from analysis.report.outputs import publish
from analysis.runs.escape import escape_latex, escape_markdown, one_line, spreadsheet, spreadsheet_json
from tests.support.run_folders import USAGE, call, fault, trial, write_run

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "=1+1",
    "+1-800",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "\ufeff=1+1",
    "\uff1d1+1",
    "-",
    "-inf",
    "a;=1+1",
    "a\t=1+1",
    "a\n=1+1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text_that_can_be_read(text: str) -> None:
    safe = spreadsheet(text)
    assert isinstance(safe, str)
    assert safe.replace("'", "", 1) == text or safe.replace("'", "") == text.replace("'", "")
    for cell in re.split(r"[;\t\n\r]", safe):
        assert cell.lstrip(" \ufeff")[:1] not in set("=+-@\uff1d")


@pytest.mark.parametrize(
    "value", [-1.5, -3, 0, None, "-1.5", "-3", "+2", "-1e-05", "a-b", "llm_chat+start=default", ""]
)
def test_numbers_and_names_stay(value: object) -> None:
    assert spreadsheet(value) == value


@given(st.text(max_size=40))
def test_json_for_a_cell_is_lossless_ascii_and_begins_no_formula(text: str) -> None:
    for value in (text, [text], {text: text}):
        cell = spreadsheet_json(value)
        assert json.loads(cell) == value
        assert cell.isascii()
        assert not re.search(r";\s*[=+@-]", cell)
        assert cell[:1] in '"[{'


@given(st.text(max_size=40))
def test_a_csv_table_never_executes(text: str) -> None:
    columns = (Column("name", ("name",), "text"), Column("x", ("x",)))
    table = Table("t", "T", frame_of([{"name": text, "x": -1.5}], columns), columns)
    (header, row) = csv.reader(io.StringIO(comma_separated(table)))
    assert header == ["name", "x"]
    assert row[1] == "-1.5"
    assert row[0].lstrip()[:1] not in set("=+-@") or re.fullmatch(r"[+-][\d.]+(e[+-]?\d+)?", row[0].lstrip(), re.I)


def test_a_hostile_model_is_text_in_money(tmp_path: Path) -> None:
    usage = USAGE | {"calls": 1, "prompt_tokens": 10, "completion_tokens": 5, "seconds": 0.2}
    name = "=cmd|' /C calc'!A0"
    write_run(tmp_path / "runs", "llm_chat", 0, [trial(0, 0.7, usage=usage, calls=[0])], [call(0, "{}", model=name)])
    publish(tmp_path / "runs", tmp_path / "out")
    cells = _cells(tmp_path / "out")
    assert f"'{name}" in cells
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "@"}]


def test_a_hostile_method_is_text_in_every_csv(tmp_path: Path) -> None:
    rows = [trial(0, violations=[fault("missing", "depth")], calls=[0], reason="=1+1")]
    write_run(tmp_path / "runs", "=llm;=1", 0, rows, [call(0, ";=1+1")], llm="tiny")
    publish(tmp_path / "runs", tmp_path / "out")
    for cell in _cells(tmp_path / "out"):
        assert not re.match(r"\s*[=+@]", cell)
        assert not re.search(r";\s*[=+@-]", cell)


def _cells(output: Path) -> list[str]:
    files = [path.read_text(encoding="utf-8") for path in (output / "tables").glob("*.csv")]
    return [cell for text in files for row in csv.reader(io.StringIO(text)) for cell in row]


def test_markdown_prints_names_as_they_are() -> None:
    assert escape_markdown("llm_chat+start=default [0.1, 0.2]") == "llm_chat+start=default [0.1, 0.2]"
    assert escape_markdown("_a_ [x](javascript:y) ![i](j) ~~s~~ $m$ &lt; a|b <b>") == (
        r"\_a\_ [x\](javascript:y) ![i\](j) \~\~s\~\~ \$m\$ \&lt; a\|b \<b>"
    )


def test_latex_prints_names_as_they_are() -> None:
    assert escape_latex("a--b ''c'' `d` *") == r"a-{}-b '{}'c'{}' \textasciigrave{}d\textasciigrave{} {*}"
    assert escape_latex("0.1–0.2") == "0.1--0.2"
    assert escape_latex(r"\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"


@given(st.text(max_size=30))
def test_a_name_cannot_leave_its_row(text: str) -> None:
    frame = pl.DataFrame({"method": [one_line(text)]})
    table = Table("t", "T", frame, (Column("method", ("method",), "text"),), (text,))
    assert len([line for line in markdown(table).splitlines() if line.startswith("|")]) == 3
    assert len(markdown(table).splitlines()) == 7
    body = latex(table).split("\\midrule\n")[1].split("    \\bottomrule")[0]
    assert body.count("\n") == 1
    assert body.endswith(" \\\\\n")
