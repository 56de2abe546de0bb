"""Check that the log of a complete run has all of its rows, in order, and no others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.budget import Budget, Spent
from harness.errors import RunError, SettingError
from harness.fields import Check, is_object, list_of, or_none
from harness.jsonl import loads, read_rows
from harness.packed import CALLS, TRIALS, content_of, state_of

_RESUMED: dict[str, Check] = {
    **dict.fromkeys(("violations", "calls"), list_of(lambda value: True)),
    **dict.fromkeys(("losses", "metrics", "executed", "proposed"), or_none(is_object)),
    "usage": is_object,
    "ask_seconds": lambda value: isinstance(value, int | float),
}
"""Fields of a trial that is fed back."""
MOVE = "move the run's folder away and run it again"
LIMITS = ("proposals", "evaluations", "tokens", "seconds")

Row = dict[str, Any]


class DamagedError(RunError):
    """A run whose files differ from those at its end.

    Args:
        folder: The run's folder.
        what: The problem, as a text.
        goes_on: Whether the remaining log is the beginning of the run, so that repeating its command continues it.
    """

    def __init__(self, folder: Path, what: str, goes_on: bool = False) -> None:
        advice = (
            "repeat the command that made it: it continues from there"
            if goes_on
            else f"move it away (mv '{folder}' '{folder.parent}/.{folder.name}-damaged') and repeat the command that "
            "made it"
        )
        super().__init__(f"{folder} is recorded as complete, but {what}; {advice}.")
        self.goes_on = goes_on


def files_of(folder: Path) -> dict[str, dict[str, Any]]:
    """The lines and sha256 of a run's logs by file name, for run.json."""
    found = {}
    for name in (TRIALS, CALLS):
        if (content := content_of(folder / name)) is not None:
            found[name] = {"lines": content.count(b"\n"), "sha256": hashlib.sha256(content).hexdigest()}
    return found


def whole_rows(folder: Path, run: Mapping[str, Any]) -> list[Row]:
    """The trials of a complete run.

    Args:
        folder: The run's folder.
        run: Its run.json.

    Raises:
        DamagedError: Trials are missing, out of order, or of another run; or calls that they name are missing.
    """
    rows = _in_order(folder)
    _check_end(folder, run, rows)
    _check_files(folder, run)
    if not run.get("files"):
        _check_times(folder, run, rows)
    _check_calls(folder, rows)
    return rows


def check_whole(folder: Path, run: Mapping[str, Any]) -> None:
    """Check that a run that is complete by its record has its whole logs.

    Rows are read only if the record has no hashes of its files (older runs), or they differ.

    Raises:
        DamagedError: As ``whole_rows``.
    """
    known = run.get("files")
    if not known or TRIALS not in known or known != files_of(folder):
        whole_rows(folder, run)


def _in_order(folder: Path) -> list[Row]:
    """The rows, each at the position of its index; a truncated last line is damage here."""
    lines = (content_of(folder / TRIALS) or b"").split(b"\n")
    rows: list[Row] = []
    for number, line in enumerate(lines[:-1]):
        try:
            row = loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or type(row.get("index")) is not int:
            last = number == len(lines) - 2 and not lines[-1]
            raise DamagedError(folder, f"line {number + 1} of {TRIALS} is not a trial", goes_on=last)
        if row["index"] != number:
            raise DamagedError(folder, f"line {number + 1} of {TRIALS} is trial {row['index']} instead of {number}")
        rows.append(row)
    if lines[-1]:
        raise DamagedError(folder, f"the last line of {TRIALS} is truncated, after {_count(rows)}", goes_on=True)
    return rows


def _check_end(folder: Path, run: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Check that the last row exhausts the budget."""
    recorded = (run.get("files") or {}).get(TRIALS, {}).get("lines")
    if recorded is not None and len(rows) < recorded:
        raise DamagedError(folder, f"only {len(rows)} of its {recorded} trials exist", goes_on=True)
    if not rows:
        raise DamagedError(folder, "it has no trials", goes_on=True)
    try:
        budget, spent = budget_of(run), Spent()
        for number, row in enumerate(rows):
            if spent.exhausts(budget):
                raise DamagedError(folder, f"it has {len(rows)} trials, but its budget was spent after {number}")
            spent.add_row(row)
    except (KeyError, TypeError, ValueError, OverflowError, SettingError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else f"cannot be read ({error})"
        raise DamagedError(folder, f"a trial or its budget {reason}") from None
    if not spent.exhausts(budget):
        raise DamagedError(folder, f"its {_count(rows)} do not exhaust its budget", goes_on=True)


def budget_of(run: Mapping[str, Any]) -> Budget:
    """The budget that a run.json says.

    Raises:
        SettingError: It is not valid.
        TypeError, AttributeError: It is none.
    """
    return _budget(*(run["budget"].get(limit) for limit in LIMITS))


@lru_cache(typed=True)  # true is not 1
def _budget(*limits: Any) -> Budget:
    return Budget(**dict(zip(LIMITS, limits, strict=True)))


def _check_files(folder: Path, run: Mapping[str, Any]) -> None:
    """Check that the files are unchanged, if run.json has their hashes."""
    for name, known in (run.get("files") or {}).items():
        if name not in (TRIALS, CALLS) or not isinstance(known, Mapping):
            raise DamagedError(folder, f"its run.json names the file {name!r}")
        if (content := content_of(folder / name)) is None:
            raise DamagedError(folder, f"{name} is missing")
        if hashlib.sha256(content).hexdigest() != known.get("sha256"):
            raise DamagedError(folder, f"{name} was changed after the run")


def _check_times(folder: Path, run: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """For older runs without hashes: check that trials began while the run was running."""
    if not run.get("started_at") or not run.get("finished_at"):
        return
    begun, ended = (datetime.fromisoformat(run[key]) for key in ("started_at", "finished_at"))
    for row in rows:
        try:
            inside = "started_at" not in row or begun <= datetime.fromisoformat(row["started_at"]) <= ended
        except (TypeError, ValueError):
            inside = False
        if not inside:
            raise DamagedError(folder, f"trial {row['index']} began at {row['started_at']!r}, when it was not running")


def _check_calls(folder: Path, rows: Sequence[Row]) -> None:
    """Check that each call named by a trial is recorded once; older runs may lack their calls."""
    path = folder / CALLS
    try:
        named = {number for row in rows for number in row.get("calls") or ()}
    except TypeError:
        raise DamagedError(folder, "a trial names calls by ids that are not numbers") from None
    if not named or state_of(path) is None:
        return
    try:
        calls = [call.get("id") for call in read_rows(path)]
    except RunError as error:
        raise DamagedError(folder, str(error).partition(";")[0]) from None
    answered = [number for number in calls if number is not None]
    if len(answered) < len(calls) and all(type(number) is int for number in answered):
        answered.sort()  # a call that was asked again after a failure follows later ones of its batch
    if answered != list(range(len(answered))):
        raise DamagedError(folder, f"the calls in {CALLS} are not in order")
    if missing := sorted(named - set(answered)):
        raise DamagedError(folder, f"call {missing[0]}, which a trial names, is not in {CALLS}")


def check_resumable(folder: Path, rows: Sequence[Row]) -> None:
    """Check that the calls behind the trials of an interrupted run are recorded: else they would be paid again.

    Args:
        folder: The run's folder.
        rows: Its trials.

    Raises:
        RunError: A trial lacks a field, or a call that it names is not recorded.
    """
    recorded: set[Any] | None = None
    for number, row in enumerate(rows, start=1):
        line = f"line {number} of {folder / TRIALS}"
        if row.get("index") != number - 1 or not all(holds(row.get(key)) for key, holds in _RESUMED.items()):
            raise RunError(f"{line[0].upper()}{line[1:]} is not trial {number - 1}; {MOVE}.")
        if row["calls"] and recorded is None:
            ids = [call.get("id") for call in read_rows(folder / CALLS)]
            recorded = {each for each in ids if isinstance(each, int)}
        if missing := [call for call in row["calls"] if call not in (recorded or ())]:
            raise RunError(
                f"{folder / CALLS} lacks call {missing[0]}, which {line} names; remove that line and those after it, "
                f"so that these trials are repeated, or {MOVE}."
            )


def _count(rows: Sequence[Row]) -> str:
    return "1 trial" if len(rows) == 1 else f"{len(rows)} trials"
