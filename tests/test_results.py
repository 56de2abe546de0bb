"""The recorded runs in results/: they replay, and the tables beside them and in the README follow from them.

Renew after recording new runs: make paper, then HYPERBOLE_RENEW=1 python -m pytest tests/test_results.py.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.command import command

ROOT = Path(__file__).parents[1]
EXPERIMENTS = sorted(path.name for path in (ROOT / "results").iterdir() if path.is_dir())
MARKS = re.compile(r"(<!-- tables of results/quickstart -->\n).*?(<!-- end -->)", re.DOTALL)


def tables(folder):
    return {path.name: path.read_text() for path in sorted((folder / "tables").glob("*.md"))}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_tables_follow_from_the_runs(experiment, tmp_path):
    folder = ROOT / "results" / experiment
    done = command("analysis", str(folder), "--output", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert tables(tmp_path) == tables(folder)
    assert (tmp_path / "report/index.html").exists()


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_runs_replay_without_a_server(experiment, tmp_path):
    shutil.copytree(ROOT / "results" / experiment, tmp_path / experiment)
    done = command("harness.replay", experiment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_shows_these_tables():
    found = tables(ROOT / "results/quickstart")
    wanted = "\n".join(found[f"{name}.md"].replace("## ", "### ") for name in ("quality", "hallucination", "cost"))
    path = ROOT / "README.md"
    text = path.read_text()
    assert MARKS.search(text)
    renewed = MARKS.sub(lambda match: f"{match[1]}\n{wanted}\n{match[2]}", text)
    if os.environ.get("HYPERBOLE_RENEW"):
        path.write_text(renewed)
    assert path.read_text() == renewed
