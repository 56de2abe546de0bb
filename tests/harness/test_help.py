"""The help page and the list of what there is: all of it comes from the configuration's files."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys

import pytest
import yaml

from harness.conf_files import choices_in
from harness.errors import SettingError
from harness.help import APART, CONF, GROUPS, page
from harness.internals import MODEL
from harness.list import LAUNCHERS, listing
from tests.support.command import command

BENCHMARKS = choices_in("benchmark", [CONF])
WHOLE = listing(whole=True, width=120)
SHORT = listing(width=100)


@pytest.mark.parametrize("choice", BENCHMARKS, ids=[choice.name for choice in BENCHMARKS])
def test_the_tasks_are_those_of_the_class(choice):
    module, _, name = yaml.safe_load((CONF / f"benchmark/{choice.name}.yaml").read_text())["_target_"].rpartition(".")
    tasks = getattr(getattr(importlib.import_module(module), name), "tasks", ())
    assert choice.tasks == tuple(map(str, tasks))
    assert not choice.tasks or choice.tasks[-1] in WHOLE


@pytest.mark.parametrize("path", sorted(CONF.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_setting_is_on_the_page_with_what_it_means(path):
    group = path.parent.name
    if group == "experiment":
        assert f"\n  {path.stem}" in WHOLE
        return
    (choice,) = [choice for choice in choices_in(group, [CONF]) if choice.name == path.stem]
    assert choice.about, "a comment at the top of the file, or the docstring of its module"
    for setting in choice.settings:
        assert setting.comment, f"a comment beside {setting.name}"
        assert f"{group}.{setting.name}=" in WHOLE


def test_the_short_list_has_a_line_per_choice():
    for path in CONF.glob("*/*.yaml"):
        assert sum(line.startswith(f"  {path.stem} ") for line in SHORT.splitlines()) >= 1, path
    assert max(map(len, SHORT.splitlines())) <= 100
    assert len(SHORT.splitlines()) < 160
    assert "tasks: 3, 12, 31, 53, 3917, 7592, 9952, 9977 and 12 more" in SHORT
    assert "settings: prompt.context, prompt.reasoning" in SHORT


def test_a_name_is_explained_however_it_is_given():
    told = listing(["optimizer=smac"], width=100)
    assert told.startswith("optimizer=")
    assert "optimizer.trials_without_limit=100" in told
    assert "sobol" not in told
    assert listing(["smac"], width=100) == told
    assert listing(["optimizer=smac", "sobol"], width=100).count("optimizer=") == 2
    assert listing(["benchmark"], width=100).count("tasks: ") > 5


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["optimizer=smca"], "did you mean 'smac'"),
        (["optimiser"], "did you mean 'optimizer'"),
        (["smca"], "did you mean 'smac'"),
        (["optimiser=smac"], "Unknown group 'optimiser'; did you mean 'optimizer'"),
        (["none"], "none is a choice of several groups; give repair=none or probe=none or start=none or tracker=none"),
        (["hydra.searchpath=[nowhere]"], "hydra.searchpath names nowhere, which does not exist"),
        (["hydra.searchpath=[pkg://no.such]"], "Python finds no such package"),
    ],
)
def test_a_wrong_name_is_one_sentence(names, told):
    with pytest.raises(SettingError) as raised:
        listing(names)
    assert told in str(raised.value)


def test_the_launchers_of_the_list_are_those_of_the_page():
    page_ = (CONF.parent / "docs/sweeps.md").read_text()
    assert set(LAUNCHERS) == set(re.findall(r"^\| `(\w+)`", page_, re.MULTILINE))
    assert all(f"\n  {name} " in SHORT for name in LAUNCHERS)
    assert "not installed" not in SHORT, "make test installs all of them"


def test_help_is_short_and_says_where_the_rest_is():
    told = page(width=120)
    assert len(told.splitlines()) < 80
    assert "python -m harness.list" in told
    assert "  optimizer=          centaur, cma_es" in told


def test_internal_keys_are_not_on_the_page():
    assert "_target_" not in WHOLE
    assert "${" not in WHOLE
    assert not [name for name in MODEL if f"llm.{name}=" in WHOLE or f"optimizer.{name}=" in WHOLE]
    assert "optimizer.chat=" not in WHOLE
    assert "  folder=" not in WHOLE


def test_a_choice_narrows_its_group():
    told = page(["optimizer=smac", "benchmark=toy", "seed=3"], width=100)
    assert "  smac  " in told
    assert "  sobol" not in told
    assert "tasks: branin, peak, front" in told
    assert "hpobench_live" not in told
    assert "  llm=                openai, qwen" in told
    assert "llm.port" not in told
    assert "prompt.context" in page(["prompt=plain"])
    assert max(map(len, told.splitlines())) <= 120
    with pytest.raises(SettingError, match="did you mean 'smac'"):
        page(["optimizer=smca"])


def test_a_plug_in_on_the_search_path_is_on_the_page(tmp_path):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer/corner.yaml").write_text(
        "# Always a corner.\n_target_: corner.Corner\nshare: 0.5  # of it\n"
    )
    told = page([f"hydra.searchpath=[file://{tmp_path}]", "optimizer=corner"])
    assert "Always a corner." in told
    assert "optimizer.share=0.5" in told
    listed = listing([f"hydra.searchpath=[{tmp_path}]"], width=100)
    assert "  corner              Always a corner\n" in listed
    assert "optimizer.share=0.5  " in listing(["corner", f"hydra.searchpath=['{tmp_path}']"], width=100)


def test_help_may_be_anywhere_and_starts_nothing(tmp_path):
    for arguments in (["--help"], ["optimizer=smac", "-h"], ["-m", "seed=0,1", "--help"]):
        done = command("harness.run", *arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Examples:" in done.stdout
        assert "name=adhoc" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_help_and_list_import_nothing_heavy():
    code = "import sys, harness.help as h, harness.list as l\nh.page(); l.listing()\n"
    code += "print(sorted({m.partition('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CONF.parent)
    heavy = {"hydra", "omegaconf", "numpy", "ConfigSpace", "sklearn", "pandas", "wandb", "openai"}
    assert not heavy & set(ast.literal_eval(done.stdout))


def test_the_groups_are_those_of_the_folder():
    assert {path.name for path in CONF.iterdir() if path.is_dir()} == {*GROUPS, "experiment"}
    assert set(APART) <= set(GROUPS)


@pytest.mark.parametrize(
    "module", ["analysis", "harness.evaluate", "harness.replay", "harness.publish", "llms.serve", "benchmarks.tabulate"]
)
def test_every_command_has_help(module, tmp_path):
    done = command(module, "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python -m {module}" in done.stdout
