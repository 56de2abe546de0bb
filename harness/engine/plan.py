"""Which runs a command asked for: kept beside the runs, so that those that are missing can be named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.files import replace_file
from harness.jsonl import loads

FOLDER = ".sweep"


@dataclass(frozen=True, slots=True)
class Plan:
    """One sweep.

    Attributes:
        overrides: The command line, without secrets.
        places: ``<benchmark>.<task>/<method>/<seed>`` of each run.
    """

    overrides: Sequence[str]
    places: Sequence[str]

    def write(self, experiment: Path) -> None:
        """Write it, unless it is there already.

        Raises:
            DiskError: It cannot be written.
        """
        digest = hashlib.sha256("\n".join(sorted(self.places)).encode()).hexdigest()[:16]
        content = json.dumps({"overrides": list(self.overrides), "places": list(self.places)})
        path = experiment / FOLDER / f"{digest}.json"
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            replace_file(path, content)


def plans_of(experiment: Path) -> list[Plan]:
    """The sweeps of an experiment, the oldest first; files that are none are left out."""
    found = []
    for path in sorted((experiment / FOLDER).glob("*.json"), key=lambda path: path.stat().st_mtime):
        try:
            content = loads(path.read_bytes())
            overrides, places = content["overrides"], content["places"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in (overrides, places)):
            found.append(Plan(overrides, places))
    return found
