"""The examples of docs/extending.md, written to a folder outside the repository and run as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import analysis.tables
from analysis.report.outputs import publish
from tests.support.contributing import MORE, SECTIONS, write_examples
from tests.support.run_folders import noisy_experiment


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.splitlines()[0])
def test_the_example_works_as_written(section, tmp_path):
    assert write_examples(section, tmp_path)
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL))
    assert commands
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    runs = [json.loads(path.read_text()) for path in tmp_path.rglob("run.json")]
    assert runs
    assert {run["status"] for run in runs} == {"complete"}


def test_a_table_is_one_file(tmp_path, monkeypatch, capsys):
    (path,) = write_examples(MORE, tmp_path)
    monkeypatch.setattr(analysis.tables, "__path__", [*analysis.tables.__path__, str(path.parent)])
    monkeypatch.setattr("analysis.report.outputs.Contents.sketches", lambda self: [])
    publish(noisy_experiment(tmp_path / "runs", seeds=1, proposals=3), tmp_path / "out")
    monkeypatch.delitem(sys.modules, "analysis.tables.slowest")
    monkeypatch.delattr(analysis.tables, "slowest")
    assert "slowest proposal (s)" in (tmp_path / "out/tables/slowest.md").read_text()
    titles = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert titles.index("Cost per run") < titles.index("Slowest proposals")
