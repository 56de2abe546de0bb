"""A table as data: a frame of raw numbers, and the columns to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from analysis.runs.escape import one_line
from analysis.stats.material import Material

INTERVAL = "95\u00a0% interval"
MARK = "\u2020"
"""Dagger after the name of a row that a note explains."""
OVER_WHOLE_RUNS = "Over whole runs; budgets differ."
Style = Literal["text", "prose", "count", "number", "percent"]


@dataclass(frozen=True, slots=True)
class Column:
    """One shown column.

    Attributes:
        header: With the unit in parentheses, for example "LLM (s)".
        keys: Columns of the frame: one for a value, two (lower, upper) for an interval, three for both.
        style: ``text``; ``prose`` for long text; ``count`` for all digits; ``number`` for 3 significant digits;
            ``percent`` for a share between 0 and 1.
    """

    header: str
    keys: tuple[str, ...]
    style: Style = "number"


@dataclass(frozen=True, slots=True)
class Table:
    """A named table.

    Attributes:
        name: File stem.
        title: One line above it.
        frame: Raw numbers; null is "not measured", infinity is shown as such.
        columns: The shown columns in order; the first ones of style "text" name the row.
        notes: Sentences under it.
        inapplicable: (row number, first key) of cells without a meaning, such as the rank of an expectation.
        marked: Numbers of the rows whose name is shown with ``MARK``; a note explains why.
    """

    name: str
    title: str
    frame: pl.DataFrame
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()
    inapplicable: frozenset[tuple[int, str]] = frozenset()
    marked: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(map(one_line, self.notes)))


@dataclass(frozen=True, slots=True)
class Findings:
    """Results of one analysis: tables, and sentences about them; both may be empty."""

    tables: tuple[Table, ...] = ()
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """The ``TABLE`` of a file in ``analysis/tables``, which the report finds.

    Attributes:
        order: Position among the tables, on the page and on the terminal.
        findings_of: Makes the tables; empty if they do not apply.
        whole: None for tables of the trials within the common budget. Otherwise the tables cover whole runs, and this
            is their note if budgets differ.
        own_runs: Whether a row covers a method's own runs, compared or not; a note reports differences.
        printed: Whether the terminal shows them too.
    """

    order: int
    findings_of: Callable[[Material], Findings]
    whole: str | None = None
    own_runs: bool = False
    printed: bool = True


def frame_of(rows: list[dict[str, object]], columns: tuple[Column, ...]) -> pl.DataFrame:
    """A frame with the columns' keys in order, typed by style even if all values are null, with visible text."""
    types = {"text": pl.String, "prose": pl.String, "count": pl.Int64, "number": pl.Float64, "percent": pl.Float64}
    schema = {key: types[column.style] for column in columns for key in column.keys}
    return pl.DataFrame([{key: _shown(row.get(key)) for key in schema} for row in rows], schema=schema)


def _shown(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value
