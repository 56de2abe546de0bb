"""The examples of docs/extending.md, written to a folder outside the repository and run as it says."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

import analysis.figures
import analysis.tables
from analysis.report.contents import Contents
from analysis.report.outputs import publish
from harness.choice_files import CONF
from harness.trial import Fault, Proposal, Violation
from tests.support.contributing import MORE, SECTIONS, write_examples
from tests.support.fakes import Line
from tests.support.run_folders import noisy_experiment


@pytest.mark.parametrize("section", [*SECTIONS, MORE], ids=lambda section: section.splitlines()[0])
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
    if section is MORE:
        assert {run["choices"]["repair"] for run in runs} == {"none", "to_default"}
        assert "> complete" in done.stdout


def test_a_repair_as_written(tmp_path, monkeypatch):
    write_examples(MORE, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    repair = importlib.import_module("to_default").ToDefault(Line().problem, 0)
    violations = (Violation(Fault.OUT_OF_RANGE, "x", 9.0), Violation(Fault.UNKNOWN, "y", 1))
    assert repair(Proposal({"x": 9.0, "units": 2, "y": 1}), violations) == {"x": 0.5, "units": 2}
    assert repair(Proposal(None), (Violation(Fault.UNPARSEABLE, None, None),)) is None


def test_a_language_model_server_as_written(tmp_path):
    write_examples(MORE, tmp_path)
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", ["llm=lab", f"hydra.searchpath=[{tmp_path / 'conf'}]"])
    assert (config.llm.name, config.llm.model, config.llm.api_key_env) == ("lab", "our-model", None)


def test_a_table_and_a_figure_are_a_file_each(tmp_path, monkeypatch, capsys):
    write_examples(MORE, tmp_path)
    for room in (analysis.tables, analysis.figures):
        monkeypatch.setattr(room, "__path__", [*room.__path__, str(tmp_path / room.__name__.replace(".", "/"))])
    sketches_of = Contents.sketches
    monkeypatch.setattr(
        Contents, "sketches", lambda self: [each for each in sketches_of(self) if each.name == "ask_seconds"]
    )
    publish(noisy_experiment(tmp_path / "runs", seeds=1, proposals=3), tmp_path / "out")
    for room, name in ((analysis.tables, "slowest"), (analysis.figures, "ask_seconds")):
        monkeypatch.delitem(sys.modules, f"{room.__name__}.{name}")
        monkeypatch.delattr(room, name)
    assert "slowest proposal (s)" in (tmp_path / "out/tables/slowest.md").read_text()
    assert (tmp_path / "out/figures/ask_seconds.png").exists()
    titles = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert titles.index("Cost per run") < titles.index("Slowest proposals")
