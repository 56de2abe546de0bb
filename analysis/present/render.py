"""Render a table as Markdown, LaTeX and CSV, from the same cells."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from analysis.present.table import MARK, Column, Table
from analysis.runs.escape import escape_latex, escape_markdown, spreadsheet

NOT_MEASURED = "not measured"
NO_MEANING = "–"
_INFINITE = "∞"
_SCIENTIFIC_BELOW = 1e-4
_THOUSAND = 1000

_ALIGN = {"text": "l", "prose": r"p{0.35\linewidth}"}


@dataclass(frozen=True, slots=True)
class Cells:
    """A table as text: headers, rows of cells, and whether each column is right-aligned."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]


def cells(table: Table) -> Cells:
    """The text of every cell, unescaped."""
    rows = tuple(
        tuple(
            NO_MEANING if (number, column.keys[0]) in table.inapplicable else _cell(column, row)
            for column in table.columns
        )
        for number, row in enumerate(table.frame.iter_rows(named=True))
    )
    rows = tuple((f"{row[0]} {MARK}", *row[1:]) if number in table.marked else row for number, row in enumerate(rows))
    return Cells(
        tuple(column.header for column in table.columns),
        rows,
        tuple(column.style not in {"text", "prose"} for column in table.columns),
    )


def number_text(value: float) -> str:
    """Three significant digits, thousands separated: 0.0123, 1.50, 12,300."""
    if math.isinf(value):
        return _INFINITE if value > 0 else f"-{_INFINITE}"
    if value == 0:
        return "0"
    if abs(value) < _SCIENTIFIC_BELOW:
        return f"{value:.2e}"
    if float(f"{abs(value):.3g}") >= _THOUSAND:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:#.3g}".rstrip(".")


def markdown(table: Table) -> str:
    """GitHub-flavoured Markdown, aligned so that it is also readable as text."""
    text = cells(table)
    lines = [text.headers, *text.rows]
    escaped = [[escape_markdown(cell) for cell in line] for line in lines]
    widths = [max(3, *(len(line[index]) for line in escaped)) for index in range(len(text.headers))]

    def joined(line: list[str]) -> str:
        parts = zip(line, widths, text.right, strict=True)
        return (
            "| " + " | ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in parts) + " |"
        )

    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, text.right, strict=True)]
    notes = "".join(f"\n- {escape_markdown(note)}" for note in table.notes)
    body = "\n".join(joined(line) for line in [escaped[0], rule, *escaped[1:]])
    return f"## {table.title}\n\n{body}\n" + (f"{notes}\n" if notes else "")


def latex(table: Table) -> str:
    """A LaTeX table that only needs booktabs; headers of several words are stacked to save width."""
    text = cells(table)
    align = "".join(_ALIGN.get(column.style, "r") for column in table.columns)
    rows = "\n".join("    " + " & ".join(map(escape_latex, row)) + r" \\" for row in text.rows)
    headers = " & ".join(_stacked(header, right) for header, right in zip(text.headers, text.right, strict=True))
    notes = " ".join(map(escape_latex, table.notes))
    return (
        "\\begin{table}[t]\n  \\centering\n  \\footnotesize\n  \\setlength{\\tabcolsep}{3pt}\n"
        f"  \\caption{{{escape_latex(table.title)}. {notes}}}\n  \\label{{tab:{table.name}}}\n"
        f"  \\begin{{tabular}}{{@{{}}{align}@{{}}}}\n    \\toprule\n    {headers} \\\\\n    \\midrule\n"
        f"{rows}\n    \\bottomrule\n  \\end{{tabular}}\n\\end{{table}}\n"
    )


def with_interval(row: Mapping[str, object], key: str, factor: float = 1.0, unit: str = "") -> str:
    """A number of a row, with its interval if the row has one: ``0.843 [0.840, 0.847]``."""
    ends = [row.get(name) for name in (key, f"{key}_lower", f"{key}_upper")]
    texts = [number_text(factor * end) for end in ends if isinstance(end, float)]
    return texts[0] + unit + (f" [{texts[1]}, {texts[2]}]" if len(texts) == 3 else "")


def wrapped(name: str, width: int = 30) -> str:
    """A method's name on several lines, broken before variants or after commas."""
    lines = [""]
    for part in name.replace("+", "\n+").replace(", ", ", \n").split("\n"):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def comma_separated(table: Table, folder_names: Mapping[str, str] | None = None) -> str:
    """CSV for programs: the frame's column names, 6 significant digits, shares between 0 and 1, null as empty.

    Text that a spreadsheet would read as a formula is prefixed with an apostrophe.

    Args:
        table: The table.
        folder_names: Label of a method -> its folder name. A table of methods then has the folder name in the column
            ``method`` and the label beside it.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    frame = table.frame
    if folder_names and "method" in frame.columns:
        both = [pl.col("method").replace(folder_names), pl.col("method").alias("label")]
        frame = frame.select(
            [each for name in frame.columns for each in (both if name == "method" else [pl.col(name)])]
        )
    writer.writerow(map(spreadsheet, frame.columns))
    for row in frame.iter_rows():
        writer.writerow(f"{value:.6g}" if isinstance(value, float) else spreadsheet(value) for value in row)
    return buffer.getvalue()


def _cell(column: Column, row: dict[str, object]) -> str:
    values = [row[key] for key in column.keys]
    if len(values) == 3 and values[0] is not None and None in values[1:]:
        values = values[:1]  # measured once, or one run: no interval
    if any(value is None for value in values):
        return NOT_MEASURED
    texts = [_value(column, value) for value in values]
    if len(texts) == 3:
        return f"{texts[0]} [{texts[1]}, {texts[2]}]"
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def _value(column: Column, value: object) -> str:
    if isinstance(value, int | float):
        if column.style == "count":
            return f"{value:,}"
        return number_text(100 * value if column.style == "percent" else value)
    return str(value)


def _stacked(header: str, right: bool) -> str:
    words = escape_latex(header).split(" ")
    if len(words) == 1:
        return words[0]
    side = "r" if right else "l"
    stack = r" \\ ".join(words)
    return rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{stack}\end{{tabular}}"
