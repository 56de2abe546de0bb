"""The recorded runs in results/: they replay, and their tables and the README follow from them.

Renew after recording new runs: make paper, then HYPERBOLE_RENEW=1 python -m pytest tests/test_results.py.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from harness.run_files import run_files
from tests.support.command import command
from tests.support.recorded import RESULTS, restore

ROOT = Path(__file__).parents[1]
EXPERIMENTS = sorted(path.name for path in (ROOT / "results").iterdir() if path.is_dir())
MARKS = re.compile(r"(<!-- tables of results/(\w+): ([\w, ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
TEXT = re.compile(r"<!-- numbers of results/(\w+): ([\w, ]+) -->\n(.*?)<!-- end numbers -->", re.DOTALL)
PAGES = [
    path
    for path in sorted((ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    if MARKS.search(path.read_text()) or TEXT.search(path.read_text())
]
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*\.?\d*(?![\w.]*\w)")
REPLAYED = "0"
"""The seed whose runs are replayed here; for all of an experiment: python -m harness.replay results/<experiment>."""


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
    for path in run_files(RESULTS / experiment, f"*/*/{REPLAYED}"):
        restore(path.parent, tmp_path / path.parent.relative_to(RESULTS))
    done = command("harness.replay", experiment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_recorded_experiment_stands_in_the_documentation():
    texts = [path.read_text() for path in PAGES]
    shown = {match[name] for text in texts for found, name in ((MARKS, 1), (TEXT, 0)) for match in found.findall(text)}
    assert shown == set(EXPERIMENTS)
    assert ROOT / "README.md" in PAGES


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_show_these_tables(path):
    text = path.read_text()
    renewed = MARKS.sub(_shown, text)
    if os.environ.get("HYPERBOLE_RENEW"):
        path.write_text(renewed)
    assert path.read_text() == renewed


@pytest.mark.parametrize("path", [path for path in PAGES if TEXT.search(path.read_text())], ids=lambda path: path.name)
def test_numbers_in_the_text_stand_in_the_tables(path):
    for name, named, text in TEXT.findall(path.read_text()):
        found = tables(ROOT / "results" / name)
        known = {number for table in named.split(",") for number in NUMBER.findall(found[f"{table.strip()}.md"])}
        said = {number.rstrip(",.") for number in NUMBER.findall(text)}
        assert said
        assert said <= known


def _shown(match):
    found = tables(ROOT / "results" / match[2])
    wanted = "\n".join(found[f"{name.strip()}.md"].replace("## ", "### ") for name in match[3].split(","))
    return f"{match[1]}\n{wanted}\n{match[4]}"
