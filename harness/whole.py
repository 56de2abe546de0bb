"""Whether the log of a run that says it is complete is whole: every row that ended it, in order, and no other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.budget import Budget, Spent
from harness.errors import RunError, SettingError
from harness.jsonl import loads, read_rows

TRIALS, CALLS = "trials.jsonl", "calls.jsonl"
LIMITS = ("proposals", "evaluations", "tokens", "seconds")

Row = dict[str, Any]


class DamagedError(RunError):
    """A run whose files are not what it ended with.

    Args:
        folder: The run's.
        what: What is wrong, in words.
        goes_on: Whether what is left is the beginning of the run, so that the command that made it can go on there.
    """

    def __init__(self, folder: Path, what: str, goes_on: bool = False) -> None:
        advice = (
            "give the command that made it again: it goes on there"
            if goes_on
            else f"move it away (mv '{folder}' '{folder.parent}/.{folder.name}-damaged') and give the command that "
            "made it again"
        )
        super().__init__(f"{folder} says that it is complete, but {what}; {advice}.")
        self.goes_on = goes_on


def files_of(folder: Path) -> dict[str, dict[str, Any]]:
    """What a run's run.json keeps of its logs when it ends: lines and sha256 by name."""
    found = {}
    for name in (TRIALS, CALLS):
        if (folder / name).is_file():
            content = (folder / name).read_bytes()
            found[name] = {"lines": content.count(b"\n"), "sha256": hashlib.sha256(content).hexdigest()}
    return found


def whole_rows(folder: Path, run: Mapping[str, Any]) -> list[Row]:
    """The trials of a run that says it is complete.

    Args:
        folder: The run's.
        run: Its run.json.

    Raises:
        DamagedError: They are not all there, not in order, or not its own; or calls that they name are missing.
    """
    rows = _in_order(folder)
    _check_end(folder, run, rows)
    _check_files(folder, run)
    if not run.get("files"):
        _check_times(folder, run, rows)
    _check_calls(folder, rows)
    return rows


def _in_order(folder: Path) -> list[Row]:
    """The rows, each at the place that its index says; a torn last line is damage here."""
    path = folder / TRIALS
    content = path.read_bytes() if path.is_file() else b""
    lines = content.split(b"\n")
    rows: list[Row] = []
    for number, line in enumerate(lines[:-1]):
        try:
            row = loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or type(row.get("index")) is not int:
            last = number == len(lines) - 2 and not lines[-1]
            raise DamagedError(folder, f"line {number + 1} of {TRIALS} is no trial", goes_on=last)
        if row["index"] != number:
            raise DamagedError(folder, f"line {number + 1} of {TRIALS} is trial {row['index']} instead of {number}")
        rows.append(row)
    if lines[-1]:
        raise DamagedError(folder, f"the last line of {TRIALS} is torn, after {_count(rows)}", goes_on=True)
    return rows


def _check_end(folder: Path, run: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """The last row is the one that spent the budget."""
    recorded = (run.get("files") or {}).get(TRIALS, {}).get("lines")
    if recorded is not None and len(rows) < recorded:
        raise DamagedError(folder, f"{len(rows)} of its {recorded} trials are there", goes_on=True)
    if not rows:
        raise DamagedError(folder, "it has no trials", goes_on=True)
    try:
        budget = Budget(**{limit: run["budget"].get(limit) for limit in LIMITS})
        spent = Spent()
        for number, row in enumerate(rows):
            if spent.exhausts(budget):
                raise DamagedError(folder, f"it has {len(rows)} trials where its budget was spent after {number}")
            spent.add_row(row)
    except (KeyError, TypeError, ValueError, OverflowError, SettingError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else f"cannot be read ({error})"
        raise DamagedError(folder, f"a trial or its budget {reason}") from None
    if not spent.exhausts(budget):
        raise DamagedError(folder, f"its {_count(rows)} do not spend its budget", goes_on=True)


def _check_files(folder: Path, run: Mapping[str, Any]) -> None:
    """The files are those that it ended with, where run.json knows them."""
    for name, known in (run.get("files") or {}).items():
        if name not in (TRIALS, CALLS) or not isinstance(known, Mapping):
            raise DamagedError(folder, f"its run.json names the file {name!r}")
        if not (folder / name).is_file():
            raise DamagedError(folder, f"{name} is not there")
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != known.get("sha256"):
            raise DamagedError(folder, f"{name} was changed since")


def _check_times(folder: Path, run: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Trials of an older run began while it ran; a newer one knows its files."""
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
    """The calls that trials name are on record, once each; older runs may have come without their calls."""
    path = folder / CALLS
    try:
        named = {number for row in rows for number in row.get("calls") or ()}
    except TypeError:
        raise DamagedError(folder, "a trial names calls by what are no numbers") from None
    if not named or not path.is_file():
        return
    try:
        calls = [call.get("id") for call in read_rows(path)]
    except RunError as error:
        raise DamagedError(folder, str(error).partition(";")[0]) from None
    answered = [number for number in calls if number is not None]
    if answered != list(range(len(answered))):
        raise DamagedError(folder, f"the calls in {CALLS} are not in order")
    if missing := sorted(named - set(answered)):
        raise DamagedError(folder, f"call {missing[0]}, which a trial names, is not in {CALLS}")


def _count(rows: Sequence[Row]) -> str:
    return "1 trial" if len(rows) == 1 else f"{len(rows)} trials"
