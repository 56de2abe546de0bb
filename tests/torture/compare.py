"""What must be equal after torture: records without times, and the model's ledger against the recorded calls."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.call_log import read_calls
from harness.jsonl import read_rows
from llms.in_flight import NAME as NOTE
from tests.torture.model import key_of
from tests.torture.sweep import ATTEMPTS

Row = dict[str, Any]
OF_TIME = frozenset({"started_at", "finished_at", "ask_seconds", "seconds", "files", "host", "git"})
"""And what names the machine and the state of the checkout."""
OF_ATTEMPTS = frozenset({"attempts", "failures", "failed_bodies"})
"""How often a call was sent: more often if the server was killed. It is compared with the ledger."""
FILES = frozenset({"run.json", "trials.jsonl", "calls.jsonl", ".lock", "wandb"})


def record_of(experiment: Path) -> dict[str, str]:
    """File -> its contents without what differs between two executions, for every file of every run."""
    found = {}
    for path in sorted(experiment.glob("*/*/[0-9]*/run.json")):
        place, folder = path.parent.relative_to(experiment).as_posix(), path.parent
        run = json.loads(path.read_text())
        for part in (run["config"], run["choices"]):
            part.pop("tracker", None)
        for source in run["sources"].values():  # its "git" is the state of the checkout
            source.pop("git", None)
        run["settings"] = {name: value for name, value in run["settings"].items() if not name.startswith("tracker")}
        found[f"{place}/run.json"] = _text(run)
        found[f"{place}/trials.jsonl"] = "\n".join(map(_text, read_rows(folder / "trials.jsonl")))
        calls = sorted((row for row in read_calls(folder / "calls.jsonl") if row["id"] is not None), key=_id)
        found[f"{place}/calls.jsonl"] = "\n".join(map(_text, calls))
        strange = {each.name for each in folder.iterdir()} - FILES
        found[f"{place}/"] = f"other files: {', '.join(sorted(strange))}" if strange else ""
    return found


def first_difference(expected: Mapping[str, str], found: Mapping[str, str]) -> str | None:
    """The first difference of two records, as a text; None if they are equal."""
    for name in sorted({*expected, *found}):
        old, new = expected.get(name, "no such file"), found.get(name, "no such file")
        if old != new:
            same = len(os.path.commonprefix([old, new]))  # noqa: RUF071 (characters are meant)
            texts = [repr(text[max(0, same - 80) : same + 80]) for text in (old, new)]
            return f"{name}, at character {same}: expected ...{texts[0]}..., found ...{texts[1]}..."
    return None


def calls_of(experiment: Path) -> list[Row]:
    """Every call on record, with its ``key`` in the ledger and its ``line``.

    Raises:
        RunError: A file is damaged.
    """
    return [row for path in experiment.glob("*/*/[0-9]*/calls.jsonl") for row in calls_in(path)]


def calls_in(path: Path) -> list[Row]:
    """The calls of one file, as ``calls_of``; none without a file."""
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    return [row | {"key": _key(row), "line": line} for row, line in zip(read_calls(path), lines, strict=False)]


def in_flight_in(folder: Path) -> list[Row]:
    """The calls of which only the note of calls in flight tells."""
    noted = read_rows(folder / NOTE)
    return [{"hash": each, "key": None, "attempts": None} for each in (noted[0]["hashes"] if noted else ())]


def unpaid_or_doubled(paid: Iterable[str], rows: Sequence[Row], destroyed: Sequence[Row]) -> str | None:
    """What the ledger says against the records, as a text; None if they agree.

    Args:
        paid: The key of every request that was worked on.
        rows: The calls on record.
        destroyed: The calls that were on record before a fault destroyed their lines.
    """
    charged = Counter(paid)
    hashes = {row["hash"]: row["key"] for row in [*rows, *destroyed] if row["key"] is not None}
    replies, most = Counter[str](), Counter[str]()
    for row in rows:
        key = hashes.get(row["hash"])
        if key is None:
            return f"no request is known with the hash {row['hash'][:12]}"
        replies[key] += row["id"] is not None
        most[key] += ATTEMPTS if row["attempts"] is None else row["attempts"]
    for row in destroyed:
        most[hashes.get(row["hash"], "")] += ATTEMPTS if row["attempts"] is None else row["attempts"]
    for key in {*charged, *replies}:
        if not replies[key] <= charged[key] <= most[key]:
            return f"request {key[:12]}: {charged[key]} paid, {replies[key]} replies and at most {most[key]} on record"
    return None


def shown(rows: Sequence[Row]) -> int:
    """Number of calls on record that were in flight at a kill."""
    return sum(row["usage"] is None for row in rows)


def _key(row: Row) -> str | None:
    return None if row["messages"] is None else key_of(row["messages"], row["sampling"])


def _id(row: Row) -> int:
    return int(row["id"])


def _text(row: Row) -> str:
    kept = {name: value for name, value in row.items() if name not in OF_TIME | OF_ATTEMPTS}
    if isinstance(usage := kept.get("usage"), dict):
        kept["usage"] = {name: value for name, value in usage.items() if name not in ("seconds", "calls")}
    return json.dumps(kept)
