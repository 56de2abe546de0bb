"""Print tables on the terminal with rich, at most 120 columns wide."""

from __future__ import annotations

import shutil

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from analysis.present.render import Cells, cells, wrapped
from analysis.present.table import Table
from analysis.runs.escape import one_line

WIDEST = 120
_NARROWEST = 60
_NAME_WIDTH = 30


def terminal_console(is_terminal: bool) -> Console:
    """A console of the terminal's width; without a terminal it prints plain text, 120 columns wide."""
    if not is_terminal:
        return Console(width=WIDEST, highlight=False, color_system=None, force_terminal=False)
    width = shutil.get_terminal_size((WIDEST, 24)).columns
    return Console(width=max(_NARROWEST, min(WIDEST, width)), highlight=False)


def print_table(console: Console, table: Table) -> None:
    """Print a table. One that is too wide continues below, with the row names repeated."""
    text = cells(table)
    names = next(number for number, column in enumerate(table.columns) if column.style != "text")
    console.print(Text(f"\n{table.title}", style="bold"))
    for block in _blocks(text, names, console.width):
        console.print(_rich_table(text, block))
    for note in table.notes:
        console.print(Text(one_line(note), style="dim"))


def _blocks(text: Cells, names: int, width: int) -> list[list[int]]:
    """Column numbers in groups that fit beside the row names."""
    widths = [_width(text, index) for index in range(len(text.headers))]
    head = list(range(names))
    blocks = [head.copy()]
    for index in range(names, len(widths)):
        if sum(widths[i] + 2 for i in [*blocks[-1], index]) > width and len(blocks[-1]) > names:
            blocks.append(head.copy())
        blocks[-1].append(index)
    return blocks


def _width(text: Cells, index: int) -> int:
    """Width of a column whose header breaks between words and whose names break anywhere."""
    header = max(map(len, text.headers[index].split(" ")))
    body = max((len(row[index]) for row in text.rows), default=0)
    return max(header, body if text.right[index] else min(body, _NAME_WIDTH))


def _rich_table(text: Cells, block: list[int]) -> RichTable:
    shown = RichTable(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for index in block:
        shown.add_column(
            Text(text.headers[index]),
            justify="right" if text.right[index] else "left",
            width=_width(text, index),
            overflow="fold",
            vertical="bottom",
        )
    for row in text.rows:
        shown.add_row(*(Text(row[index] if text.right[index] else wrapped(row[index], _NAME_WIDTH)) for index in block))
    return shown
