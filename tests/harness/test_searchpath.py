"""Files on hydra.searchpath that are hidden by another one of the same name."""

from __future__ import annotations

import pytest

from harness.choice_files import CONF
from harness.errors import SettingError
from harness.evaluate import evaluate
from harness.searchpath import refuse_shadowed
from tests.support.command import hyperbole, sentence

MAIN = {"path": str(CONF), "schema": "file", "provider": "main"}
PARAMS = "params={x1: 0.0, x2: 0.0}"


def outside(folder, **files):
    """A folder of configuration files, as a source of Hydra's."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {"path": str(folder), "schema": "file", "provider": "hydra.searchpath in command-line"}


def test_a_file_of_ones_own_name_is_fine(tmp_path):
    refuse_shadowed({"optimizer": "mine"}, [MAIN, outside(tmp_path, optimizer__mine="a: 1", optimizer__tpe="a: 1")])


@pytest.mark.parametrize(
    ("group", "name"),
    [("optimizer", "tpe"), ("benchmark", "toy"), ("budget", "proposals"), ("prompt", "plain"), ("experiment", "leak")],
)
def test_a_chosen_file_behind_one_of_this_project_is_refused_by_name(tmp_path, group, name):
    source = outside(tmp_path, **{f"{group}__{name}": "a: 1"})
    with pytest.raises(SettingError, match=f"^{group}={name} could mean .*{tmp_path}.*my_{name}"):
        refuse_shadowed({group: name}, [MAIN, source])


def test_two_folders_of_the_search_path_with_one_name_are_refused(tmp_path):
    first, second = (outside(tmp_path / name, optimizer__mine="a: 1") for name in "ab")
    with pytest.raises(SettingError, match="optimizer=mine could mean"):
        refuse_shadowed({"optimizer": "mine"}, [MAIN, first, second])
    refuse_shadowed({"optimizer": "mine"}, [MAIN, first, first])


def test_another_root_is_never_read_and_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SettingError, match="never read"):
        refuse_shadowed({}, [MAIN, outside(tmp_path, config="seed: 3")])
    with pytest.raises(SettingError, match="does not exist"):
        refuse_shadowed({}, [MAIN, {**outside(tmp_path), "path": str(tmp_path / "nowhere")}])


def test_a_package_of_the_search_path_is_a_folder_too(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    outside(tmp_path / "settings_of_mine", optimizer__tpe="a: 1")
    (tmp_path / "settings_of_mine/__init__.py").touch()
    package = {"schema": "pkg", "provider": "hydra.searchpath in command-line"}
    with pytest.raises(SettingError, match=r"^optimizer=tpe could mean .*settings_of_mine"):
        refuse_shadowed({"optimizer": "tpe"}, [MAIN, {**package, "path": "settings_of_mine"}])
    with pytest.raises(SettingError, match=r"pkg://nowhere\.conf, and Python finds no such package"):
        refuse_shadowed({"optimizer": "tpe"}, [MAIN, {**package, "path": "nowhere.conf"}])


def test_hydras_own_groups_may_be_replaced(tmp_path):
    source = outside(tmp_path, hydra__launcher__joblib="n_jobs: 2")
    refuse_shadowed({"hydra/launcher": "joblib", "experiment": None}, [MAIN, source])


def test_every_command_that_composes_refuses_it(tmp_path):
    outside(tmp_path / "conf", optimizer__tpe="{_target_: optimizers.tpe.TPE, startup_trials: 3}")
    path = f"hydra.searchpath=[{tmp_path / 'conf'}]"
    told = sentence(hyperbole("optimizer=tpe", "benchmark=toy", path, cwd=tmp_path))
    assert told.startswith("optimizer=tpe could mean")
    assert not (tmp_path / "runs").exists()
    with pytest.raises(SettingError, match="optimizer=tpe could mean"):
        evaluate([PARAMS, "benchmark=toy", "optimizer=tpe", path])


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("+bugdet.proposals=5", "Unknown setting 'bugdet'; did you mean 'budget'?"),
        ("+foo=1", "Unknown setting 'foo'. Valid: benchmark, budget,"),
        ("+optimizer._partial_=true", "sets _partial_, which tells Hydra how to build a class"),
        ("+benchmark._args_=[branin]", "sets _args_, which tells Hydra"),
    ],
)
def test_an_unused_setting_is_refused(tmp_path, setting, told):
    assert told in sentence(hyperbole("benchmark=toy", "budget.proposals=2", setting, cwd=tmp_path))
    assert not (tmp_path / "runs").exists()


def test_a_key_that_another_setting_refers_to_is_read(tmp_path):
    done = hyperbole("benchmark=toy", "budget.proposals=1", "+half=1.5", "budget.seconds=${half}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
