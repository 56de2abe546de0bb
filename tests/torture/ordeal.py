"""One sweep through several faults, until it is complete; then its record must be that of an undisturbed sweep."""

from __future__ import annotations

import os
import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import RunError
from harness.status import status_of
from tests.torture.compare import (
    Row,
    calls_in,
    calls_of,
    first_difference,
    in_flight_in,
    record_of,
    shown,
    unpaid_or_doubled,
)
from tests.torture.sweep import POLL_SECONDS, Model, Running, Sweep

MOST_REPEATS = 12
"""Number of times that the same command is given at the end; each may have to name one damaged file."""


@dataclass
class Damage:
    """A file that a fault has changed at rest.

    Attributes:
        kind: The fault.
        file: What was damaged.
        calls: The calls of the run that are still on record.
    """

    kind: str
    file: Path
    calls: list[Row]


@dataclass
class Ordeal:
    """A sweep and what it has gone through.

    Attributes:
        sweep: The sweep.
        model: Its server.
        draw: Decides when and where.
        expected: The record of an undisturbed sweep.
        expected_lines: Number of lines that it logs.
        outcomes: Fault -> what came of it, counted.
    """

    sweep: Sweep
    model: Model
    draw: random.Random
    expected: Mapping[str, str]
    expected_lines: int
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    damages: list[Damage] = field(default_factory=list)
    destroyed: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._paid_before = len(self.model.paid())

    def count(self, kind: str, outcome: str) -> None:
        """Count what came of a fault."""
        self.outcomes.setdefault(kind, Counter())[outcome] += 1

    def moment(self, running: Running, least: int = 0) -> bool:
        """Wait for a random number of further lines; whether the command still runs then."""
        now = self.sweep.lines()
        target = now + self.draw.randint(least, max(1, int(0.8 * (self.expected_lines - now))))
        while running.is_running and self.sweep.lines() < target:
            running.look()
            time.sleep(POLL_SECONDS)
        time.sleep(self.draw.uniform(0.0, 0.06))
        running.look()
        return running.is_running

    def ended(self, running: Running) -> str:
        """The output of a command that was not killed, checked; damaged runs that it names are moved away.

        Raises:
            AssertionError: It ended in another way than with exit code 0, or 2 and sentences.
        """
        code, text = running.end()
        assert "Traceback" not in text, text
        assert code in (0, 2), f"exit code {code}: {text}"
        status_of(self.sweep.experiment)
        for damage in list(self.damages):
            self._look_at(damage, text)
        return text

    def _look_at(self, damage: Damage, text: str) -> None:
        folder = damage.file.parent
        told = [line for line in text.splitlines() if str(folder.relative_to(self.sweep.folder)) in line]
        if any(damage.file.name in line and "move" in line for line in told):
            outcome = "refused in one sentence, moved away"
            self._move_away(damage)
        elif _says_complete(text):
            outcome = "continued"
        else:
            return
        self.damages.remove(damage)
        self.count(damage.kind, outcome)

    def _move_away(self, damage: Damage) -> None:
        folder = damage.file.parent
        try:
            self.destroyed += calls_in(folder / "calls.jsonl")
        except RunError:
            self.destroyed += damage.calls
        self.destroyed += in_flight_in(folder)
        shutil.move(folder, self.sweep.folder / f"{folder.name}-{time.monotonic_ns()}")

    def damage(self, kind: str, file: Path, change: Callable[[bytes], bytes]) -> None:
        """Change a file while nothing runs."""
        calls = calls_in(file.parent / "calls.jsonl")
        file.write_bytes(change(file.read_bytes()))
        lost = _lost(calls, file) if file.name == "calls.jsonl" else []
        self.destroyed += lost
        self.damages.append(Damage(kind, file, calls[: len(calls) - len(lost)]))

    def finish(self) -> None:
        """Give the same command until it finds everything complete, then compare.

        Raises:
            AssertionError: It does not complete, or its record differs from the expected one.
        """
        for _ in range(MOST_REPEATS):
            text = self.ended(self.sweep.start())
            found = status_of(self.sweep.experiment)
            if found.complete == found.total and _says_complete(text):
                break
        else:
            raise AssertionError(f"it does not complete: {text}")
        assert not self.damages, f"damage that nothing came of: {self.damages}"
        difference = first_difference(self.expected, record_of(self.sweep.experiment))
        assert difference is None, difference
        rows = calls_of(self.sweep.experiment)
        difference = unpaid_or_doubled(self.model.paid()[self._paid_before :], rows, self.destroyed)
        assert difference is None, difference
        self.count("(calls in flight at a kill, shown)", f"{shown(rows)}")

    def is_complete(self) -> bool:
        """Whether every run is complete: nothing more can be interrupted."""
        return sum(map(_is_complete, (path.parent for path in self.sweep.experiment.glob("*/*/[0-9]*/run.json")))) == (
            len(self.sweep.methods) * self.sweep.seeds
        )

    def runs(self) -> list[Path]:
        """Folders of runs that exist and are not damaged yet."""
        spoiled = {damage.file.parent for damage in self.damages}
        found = sorted(path.parent for path in self.sweep.experiment.glob("*/*/[0-9]*/trials.jsonl"))
        return [folder for folder in found if folder not in spoiled]


def _lost(before: list[Row], file: Path) -> list[Row]:
    """The calls that the undamaged beginning of a file lacks now."""
    lines = file.read_bytes().split(b"\n")
    same = 0
    while same < min(len(lines) - 1, len(before)) and lines[same] == before[same]["line"]:
        same += 1
    return before[same:]


def _says_complete(text: str) -> bool:
    """Whether a sweep found or made all of its runs complete."""
    found = re.findall(r": (\d+) of (\d+) runs complete", text)  # the last one is the summary
    return bool(found) and found[-1][0] == found[-1][1]


def _is_complete(folder: Path) -> bool:
    path = folder / "run.json"
    return path.exists() and b'"status": "complete"' in path.read_bytes()[:100]


def remove(folder: Path) -> None:
    """Remove the folder of an ordeal that went well."""
    shutil.rmtree(folder, ignore_errors=True)
    for left in folder.parent.glob(f"{folder.name}.o*"):
        os.unlink(left)
