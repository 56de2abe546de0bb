"""A run records the code that made it."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from harness.sources import changed, sources
from tests.support.command import hyperbole, run_json

METHOD = """
from harness.validity import builtin
from harness.trial import Proposal
import copy

class Draws:
    def __init__(self, problem, seed, budget):
        self.space = copy.deepcopy(problem.space)
        self.space.seed(seed)

    def ask(self):
        return Proposal({name: builtin(value) for name, value in self.space.sample_configuration().items()})

    def tell(self, trial):
        pass
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A folder with a module and a package with classes."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "conf" / "optimizer").mkdir(parents=True)
    (tmp_path / "draws_plugin.py").write_text(METHOD)
    (tmp_path / "draws_package").mkdir()
    (tmp_path / "draws_package" / "__init__.py").write_text("from draws_package.inner import Draws\n")
    (tmp_path / "draws_package" / "inner.py").write_text(METHOD)
    (tmp_path / "conf" / "optimizer" / "draws.yaml").write_text("_target_: draws_plugin.Draws\n")
    return tmp_path


def of(target):
    return sources({"optimizer": {"_target_": target}, "probe": None}).get("optimizer")


def test_a_class_of_this_project_and_one_from_outside(plugin):
    ours = of("optimizers.tpe.TPE")
    assert ours["file"] == "optimizers/tpe.py"
    assert ours["git"] is None
    theirs = of("draws_plugin.Draws")
    assert Path(theirs["file"]) == plugin / "draws_plugin.py"
    assert theirs["sha256"] == hashlib.sha256(METHOD.encode()).hexdigest()
    assert set(theirs["git"].values()) == {None}


def test_the_commit_of_a_plug_ins_own_checkout(plugin):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], cwd=plugin, check=True)
    state = of("draws_plugin.Draws")["git"]
    assert len(state["commit"]) == 40
    assert state["dirty"] is False


def test_a_change_is_seen_also_inside_a_package(plugin):
    before = {"optimizer": of("draws_package.Draws")}
    assert changed(before, {"optimizer": of("draws_package.Draws")}) == []
    (plugin / "draws_package" / "inner.py").write_text(METHOD + "# other\n")
    assert changed(before, {"optimizer": of("draws_package.Draws")}) == [before["optimizer"]["file"]]
    assert changed({}, before) == []  # a run recorded before sources were recorded


@pytest.mark.parametrize("target", ["nowhere.Class", "math.floor", "Class", "draws_plugin.Draws.inner"])
def test_what_has_no_file_is_left_out(plugin, target):
    assert of(target) is None or target.startswith("draws_plugin")


def test_a_rerun_says_that_the_code_differs(plugin):
    run = ("optimizer=draws", "benchmark=toy", "budget.proposals=2", f"hydra.searchpath=[{plugin}/conf]")
    first = hyperbole(*run, cwd=plugin, PYTHONPATH=".")
    assert first.returncode == 0, first.stderr
    assert run_json(plugin)["sources"]["optimizer"]["file"] == "draws_plugin.py"
    assert "changed" not in hyperbole(*run, cwd=plugin, PYTHONPATH=".").stderr
    (plugin / "draws_plugin.py").write_text(METHOD + "# other\n")
    again = hyperbole(*run, cwd=plugin, PYTHONPATH=".")
    assert again.returncode == 0
    assert "recorded before draws_plugin.py changed" in again.stderr
    assert "name=" in again.stderr
