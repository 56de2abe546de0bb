"""Recorded rows have the types that the page on logs gives, and are null only where it says so."""

from __future__ import annotations

import json
import re

import pytest

from docs.generate import ROOT, filled
from harness.packed import content_of
from harness.run_files import run_files
from tests.support.recorded import RESULTS

PAGE = filled((ROOT / "docs" / "logs.md").read_text(encoding="utf-8"))
KINDS = {
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "text": lambda value: isinstance(value, str),
    "true or false": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "any": lambda value: True,
    "two numbers": lambda value: len(value) == 2,
}
FOLDERS = [path.parent for folder in sorted(RESULTS.iterdir()) for path in run_files(folder, "*/*/0")]


def fields(section):
    """Field -> (type, null when) of one section of the page."""
    (text,) = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| [^|]+ \| .+ \| ([^|]+) \|$", text, re.MULTILINE)
    return {name: (kind, null_when) for name, kind, null_when in rows}


def faults(row, documented, prefix=""):
    """What contradicts the page, one sentence each."""
    for key, value in row.items():
        name = f"{prefix}{key}"
        kind, null_when = documented[name]
        nested = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
        if value is None:
            if re.match(r"never\b|absent\b", null_when):
                yield f"{name} is null"
        elif not (KINDS.get(kind) or KINDS[kind.partition(" of ")[0]])(value):
            yield f"{name} is {value!r}, not {kind}"
        elif any(each.startswith(f"{name}.") for each in documented):
            for entry in nested:
                yield from faults(entry, documented, f"{name}.")


def read(path):
    return [json.loads(line) for line in (content_of(path) or b"").decode().splitlines()]


@pytest.mark.parametrize("experiment", sorted({folder.parents[2].name for folder in FOLDERS}))
def test_recorded_rows_are_as_the_page_says(experiment):
    found = set()
    for folder in (each for each in FOLDERS if each.parents[2].name == experiment):
        found.update(faults(json.loads(content_of(folder / "run.json")), fields("run.json")))
        for name in ("trials.jsonl", "calls.jsonl"):
            for row in read(folder / name):
                found.update(faults(row, fields(name)))
    for row in read(ROOT / "results" / experiment / "sweeps.jsonl"):
        found.update(faults(row, fields("sweeps.jsonl")))
    assert sorted(found) == []


def test_a_contradiction_is_found():
    documented = {"a": ("integer", "never"), "b": ("list", "nothing"), "b.c": ("list of text", "never")}
    assert list(faults({"a": 1, "b": [{"c": ["x"]}]}, documented)) == []
    assert list(faults({"a": None, "b": None}, documented)) == ["a is null"]
    assert list(faults({"a": True, "b": [{"c": "x"}]}, documented)) == [
        "a is True, not integer",
        "b.c is 'x', not list of text",
    ]
    with pytest.raises(KeyError):
        list(faults({"other": 1}, documented))
