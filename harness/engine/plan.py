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
        """Write it, unless a plan of the same runs is there already.

        Raises:
            DiskError: It cannot be written.
        """
        digest = hashlib.sha256("\n".join(sorted(self.places)).encode()).hexdigest()[:16]
        path = experiment / FOLDER / f"{digest}.json"
        if _plan_in(path) is None:
            replace_file(path, json.dumps({"overrides": list(self.overrides), "places": list(self.places)}))


def plans_of(experiment: Path) -> list[Plan]:
    """The sweeps of an experiment, the oldest first; files that are none are left out."""
    paths = sorted((experiment / FOLDER).glob("*.json"), key=lambda path: path.stat().st_mtime)
    return [plan for path in paths if (plan := _plan_in(path)) is not None]


def _plan_in(path: Path) -> Plan | None:
    try:
        content = loads(path.read_bytes())
        overrides, places = content["overrides"], content["places"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in (overrides, places)):
        return Plan(overrides, places)
    return None
