"""The logs of runs as one frame: from the cache, as typed rows, or row by row, whichever of them can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.runs.answers import read_answers
from analysis.runs.cached import Invalid, RunCache, State, file_state
from analysis.runs.calls import read_calls
from analysis.runs.columns import TRIALS, schema_of
from analysis.runs.lines import checked_trials
from analysis.runs.plain import Columns, PlainRuns, plain_columns
from analysis.runs.trial_rows import flatten
from harness.errors import RunError
from harness.faults import knew_grid
from harness.packed import CALLS, content_of, state_of
from harness.packed import TRIALS as LOG
from harness.repeats import Repeats
from harness.whole import whole_rows

if TYPE_CHECKING:
    from analysis.runs.load import Run

_ROWS_AT_ONCE = 200_000
"""Rows of ordinary runs of which one frame is made."""


class Logs:
    """The logs of complete runs.

    Args:
        runs: The runs, in order.
        cache: What was read of them before; it is brought up to date.

    Attributes:
        whole: The runs that could be read.
        invalid: Run id -> its invalid proposals, for runs with any.
        damaged: A sentence for every other run.
        trials: The rows of ``whole``, with the columns of ``analysis.runs.columns.TRIALS``.
    """

    def __init__(self, runs: Sequence[Run], cache: RunCache) -> None:
        self.whole: list[Run] = []
        self.invalid: dict[str, Invalid] = {}
        self.damaged: list[str] = []
        self._cache = cache
        self._known = (0, 0)
        self._plain = PlainRuns()
        self._frames: list[pl.DataFrame] = []
        states: dict[str, State] = {}
        for run in runs:
            state = file_state(run.folder)  # before reading: a change meanwhile makes it another one
            try:
                self._add(run, state)
            except RunError as error:
                self.damaged.append(str(error))
                continue
            states[run.id] = state
            self.whole.append(run)
        self._flush()
        self.trials = pl.concat(self._frames) if self._frames else pl.DataFrame(schema=schema_of(TRIALS))
        cache.keep(states, self.trials, self.invalid)

    def _add(self, run: Run, state: State) -> None:
        """Add the rows of one run.

        Raises:
            RunError: Something is wrong with it.
        """
        if (entry := self._cache.find(run.id, state)) is not None:
            if self._plain.rows or self._known[1] != entry.start:
                self._flush()
                self._known = (entry.start, entry.start)
            self._known = (self._known[0], entry.start + entry.rows)
            invalid = entry.invalid
        elif (columns := _plain(run)) is not None:
            if self._known[0] < self._known[1] or self._plain.rows > _ROWS_AT_ONCE:
                self._flush()
            self._plain.add((run.id, run.method, run.task, run.seed), columns)
            invalid = []
        else:
            rows, invalid = read_run(run)
            self._flush()
            self._frames.append(pl.DataFrame(rows, schema=schema_of(TRIALS)))
        if invalid:
            self.invalid[run.id] = invalid

    def _flush(self) -> None:
        """Make frames of the runs that wait for it: either known ones or ordinary ones."""
        start, end = self._known
        if start < end:
            self._frames.append(self._cache.frame.slice(start, end - start))
        if self._plain.rows:
            self._frames.append(self._plain.frame())
        self._known = (0, 0)


def _plain(run: Run) -> Columns | None:
    """The columns of an ordinary run without calls; None for any other."""
    try:
        if run.info["llm"] is not None or state_of(run.folder / CALLS) is not None:
            return None
        content = content_of(run.folder / LOG)
    except OSError:  # which reading row by row reports
        return None
    return None if content is None else plain_columns(content, run.info)


def read_run(run: Run) -> tuple[list[dict[str, Any]], Invalid]:
    """One complete run, row by row: flat rows for the tables, and its invalid proposals.

    Raises:
        RunError: Something is wrong with it.
    """
    raw = checked_trials(whole_rows(run.folder, run.info), run.id)
    objectives = [objective["name"] for objective in run.info["objectives"]]
    place = {"method": run.method, "task": run.task, "seed": run.seed}
    repeats = Repeats()
    knew = knew_grid(run.info)
    flat = [{**flatten(row, run.id, objectives, knew), "repeated": repeats.row(row)} for row in raw]
    answers = read_answers(raw, run.folder / CALLS, run.info.get("fidelities") or ())
    read_calls(run.folder / CALLS)
    trials = [{**row, **answer, **place} for row, answer in zip(flat, answers, strict=True)]
    return trials, [(row, number) for row in raw for number in _invalid_in(row)]


def _invalid_in(row: dict[str, Any]) -> Iterator[int | None]:
    """None for an invalid proposal, then the numbers of the other invalid candidates."""
    if row["violations"]:
        yield None
    for number, candidate in enumerate(row.get("candidates") or ()):
        proposed = candidate["proposed"] == row["proposed"] and [candidate["call"]] == row["calls"]
        if candidate["violations"] and not proposed:
            yield number
