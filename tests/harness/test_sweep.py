"""What surrounds a sweep: any launcher works with any experiment, and a run that two jobs name is counted once."""

from __future__ import annotations

import shutil

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf, open_dict

from harness.choice_files import CONF
from harness.conf_files import choices_in
from harness.errors import SettingError
from harness.summary import GOES_ON, SweepSummary
from harness.sweep import Sweep, jobs_of, refuse_empty, settle
from hydra_plugins.hyperbole.workers import OnceSweeper
from tests.support.run_folders import noisy_experiment


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["workers", "basic", "joblib", "submitit_local", "submitit_slurm", "ray"])
def test_every_experiment_can_be_composed_with_any_launcher(launcher):
    with initialize_config_dir(str(CONF), version_base=None):
        for choice in choices_in("experiment", [CONF]):
            overrides = [f"experiment={choice.name}", f"hydra/launcher={launcher}"]
            found = compose("config", overrides, return_hydra_config=True).hydra.launcher
            assert launcher.partition("_")[0] in found._target_.lower()


@pytest.mark.parametrize(("typed", "expected"), [([], 12), (["hydra.launcher.n_jobs=3"], 3)])
def test_an_experiment_says_how_many_jobs_run_at_once(typed, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(Sweep, "_begin", lambda self, config: None)
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", ["experiment=contexts", *typed], return_hydra_config=True)
    config.hydra.overrides.hydra = typed
    settings = OmegaConf.to_container(config.hydra.callbacks.sweep)
    settings.pop("_target_")
    Sweep(**settings).on_multirun_start(config)
    assert config.hydra.launcher.n_jobs == expected


def test_a_launcher_without_a_number_of_jobs_is_left_alone(monkeypatch):
    monkeypatch.setattr(Sweep, "_begin", lambda self, config: None)
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", ["experiment=contexts", "hydra/launcher=basic"], return_hydra_config=True)
    Sweep(n_jobs=12).on_multirun_start(config)
    assert "n_jobs" not in config.hydra.launcher


def test_a_run_that_two_jobs_of_a_sweep_name_is_complete(tmp_path):
    folder = noisy_experiment(tmp_path / "runs" / "x", seeds=1, proposals=3)
    runs = [str(path.parent) for path in sorted(folder.rglob("run.json"))][:2]
    summary = SweepSummary(folder, 4)
    for status, run in (("busy", runs[0]), ("complete", runs[0]), ("complete", runs[1]), ("busy", runs[1])):
        summary.add(status, run)
    said = summary.text(1.0)
    assert "4 of 4 runs complete (2 of them by another job)" in said
    assert GOES_ON not in said


def test_a_run_of_another_command_is_left_to_it(tmp_path):
    folder = noisy_experiment(tmp_path / "runs" / "x", seeds=1, proposals=3)
    first, second = [str(path.parent) for path in sorted(folder.rglob("run.json"))][:2]
    shutil.rmtree(second)
    summary = SweepSummary(folder, 2)
    summary.add("complete", first)
    summary.add("busy", second)
    assert "1 of 2 runs complete (1 in another process)" in summary.text(1.0)
    assert GOES_ON in summary.text(1.0)


def test_a_sweep_over_names_says_where_each_run_is(tmp_path):
    one, two = (noisy_experiment(tmp_path / "runs" / name, seeds=1, proposals=3) for name in ("one", "two"))
    summary = SweepSummary(tmp_path / "runs" / "adhoc", 2)
    for folder in (one, two):
        summary.add("complete", str(min(folder.rglob("run.json")).parent))
    said = summary.text(1.0)
    assert "adhoc" not in said
    assert said.count(str(one)) == said.count(str(two)) == 2


@pytest.mark.parametrize("typed", [["seed=range(0)"], ["optimizer=glob(nosuch*)", "seed=1,2"], ["seed=range(5,1)"]])
def test_a_sweep_without_a_run_is_refused(typed):
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", return_hydra_config=True)
        config.hydra.overrides.task = typed
        with pytest.raises(SettingError, match="gives no value, so this sweep has no run"):
            refuse_empty(config)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["seed=1,2", "seed=1,2,3"], 3),
        (["seed=1,2", "seed=3"], 1),
        (["seed=range(0)", "seed=1,2"], 2),
        (["+x=1,2", "x=1,2"], 4),
        (["seed=1,1,2"], 3),
    ],
)
def test_of_a_setting_that_is_given_twice_the_last_one_counts(typed, expected):
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", return_hydra_config=True)
        config.hydra.overrides.task = typed
        refuse_empty(config)
        assert jobs_of(config) == expected
        parsed = OverridesParser.create().parse_overrides(typed)
        assert len(OnceSweeper.split_arguments(parsed, None)[0]) == expected


def test_references_are_left_to_the_jobs():
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", return_hydra_config=True)
        config.hydra.overrides.task = ["seed=1,2", "name=job_${hydra.job.num}"]
        refuse_empty(config)
        assert jobs_of(config) == 2


@pytest.mark.parametrize("launcher", ["workers", "ray", "submitit_local", "joblib"])
@pytest.mark.parametrize("value", [0, "two", 1.5, True, -1, None])
def test_a_number_of_runs_that_starts_none_is_refused(launcher, value):
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", [f"hydra/launcher={launcher}"], return_hydra_config=True)
    with open_dict(config):
        config.hydra.launcher = {**config.hydra.launcher, "n_jobs": value}
    if launcher == "joblib" and value in (-1, None):
        settle(config, None)
        return
    with pytest.raises(SettingError, match=r"hydra\.launcher\.n_jobs is .*; give a whole number from 1"):
        settle(config, None)


@pytest.mark.parametrize("value", [0, "two", -1])
def test_so_is_a_size_of_batches_that_holds_no_job(value):
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", return_hydra_config=True)
    config.hydra.sweeper.max_batch_size = value
    with pytest.raises(SettingError, match="max_batch_size is"):
        settle(config, None)


@pytest.mark.parametrize("name", ["processes", "workers"])
def test_so_is_any_other_number_of_a_launcher(name):
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", ["hydra/launcher=submitit_local"], return_hydra_config=True)
    config.hydra.launcher[name] = 0
    with pytest.raises(SettingError, match=f"hydra.launcher.{name} is 0"):
        settle(config, None)
