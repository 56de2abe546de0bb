"""Which runs a command asked for, and why some never began: kept beside the runs, so that those can be named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.files import replace_file
from harness.jsonl import loads

FOLDER = ".sweep"
REASONS = "failed"


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


def keep_reasons(experiment: Path, tried: Collection[str], failed: Mapping[str, str]) -> None:
    """Keep why runs failed before they had a folder.

    Args:
        experiment: Folder of the runs.
        tried: Places that the command tried; earlier reasons of theirs are dropped.
        failed: Place -> reason, without secrets.

    Raises:
        DiskError: It cannot be written.
    """
    before = reasons_of(experiment)
    after = {place: reason for place, reason in before.items() if place not in tried} | dict(failed)
    if after != before:
        replace_file(experiment / FOLDER / REASONS, json.dumps(after))


def reasons_of(experiment: Path) -> dict[str, str]:
    """Place -> why a run failed before it had a folder; nothing if it was not kept."""
    try:
        content = loads((experiment / FOLDER / REASONS).read_bytes())
    except (OSError, ValueError):
        return {}
    return {place: why for place, why in content.items() if isinstance(why, str)} if isinstance(content, dict) else {}


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
