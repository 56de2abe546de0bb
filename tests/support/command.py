"""Runs the project's commands as a user does: in another process and another folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TIMELESS = ("ask_seconds", "started_at")
ROOT = Path(__file__).parents[2]


def command(
    module: str, *arguments: str, cwd: Path, timeout_seconds: float = 300, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module arguments`` in a folder and capture its output."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def hyperbole(*overrides: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m harness.run``, without W&B unless requested."""
    tracker = [] if any(override.startswith("tracker") for override in overrides) else ["tracker=none"]
    return command("harness.run", *overrides, *tracker, cwd=cwd, **environment)


def rows(folder: Path) -> list[dict[str, Any]]:
    """The trials of the one run in a folder, without their times."""
    (path,) = folder.rglob("trials.jsonl")
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in row.items() if key not in TIMELESS} for row in found]


def run_json(folder: Path) -> dict[str, Any]:
    """The run.json of the one run in a folder."""
    (path,) = folder.rglob("run.json")
    return json.loads(path.read_text())


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one-sentence answer to a mistake; fails on anything more or less."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]
