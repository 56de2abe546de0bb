"""What is left of an experiment, and the command that continues it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from harness.choice_files import CONF
from harness.composed import Template
from harness.engine.plan import Plan, keep_reasons, reasons_of
from harness.errors import HyperboleError
from harness.folder import RunFolder
from harness.holder import Holder
from harness.status import overrides_of, status_of, text_of
from tests.support.command import hyperbole
from tests.support.run_folders import trial, write_run


@pytest.fixture
def experiment(tmp_path):
    folder = tmp_path / "runs" / "x"
    for seed, status in enumerate(["complete", "failed", "running", "running"]):
        error = "ServerError: no server answers" if status == "failed" else None
        write_run(folder, "smac", seed, [trial(0, 0.7)], status=status, error=error)
    Plan(["optimizer=smac", "seed=range(6)"], [f"hpobench.credit_g/smac/{seed}" for seed in range(6)]).write(folder)
    return folder


def test_every_state_is_told_with_its_reason(experiment):
    damaged = write_run(experiment, "smac", 9, [trial(0, 0.7)])
    (damaged / "run.json").write_text("{")
    with RunFolder(experiment / "hpobench.credit_g/smac/3").lock() as held:
        assert held
        found = status_of(experiment)
        told = text_of(found, experiment)
    assert (found.complete, found.total) == (1, 7)
    assert [len(found.others[state]) for state in ("running", "failed", "interrupted", "damaged", "missing")] == [
        1,
        1,
        1,
        1,
        2,
    ]
    assert f"smac/3: process {os.getpid()} on " in told
    assert "smac/1: ServerError: no server answers" in told
    assert "smac/9: " in told
    assert "  hpobench.credit_g/smac/4\n  hpobench.credit_g/smac/5\n" in told
    assert told.endswith("Continue with: python -m harness.run -m optimizer=smac 'seed=range(6)'")


def test_a_run_after_its_end_is_held_by_nobody(experiment):
    folder = RunFolder(experiment / "hpobench.credit_g/smac/3")
    with folder.lock():
        assert Holder.read(folder.path / ".lock").is_alive
    assert Holder.read(folder.path / ".lock") is None
    assert len(status_of(experiment).others["interrupted"]) == 2


def test_a_killed_process_holds_nothing(experiment):
    path = experiment / "hpobench.credit_g/smac/3"
    code = f"""
import os, pathlib
from harness.folder import RunFolder
with RunFolder(pathlib.Path({str(path)!r})).lock():
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert Holder.read(path / ".lock").is_alive is False
    assert status_of(experiment).others["running"] == []


def test_a_process_elsewhere_counts_as_running(experiment):
    path = experiment / "hpobench.credit_g/smac/3/.lock"
    path.write_text(json.dumps({"host": "far", "pid": 1, "began": "1", "since": "2026-01-02T03:04:05+00:00"}))
    assert status_of(experiment).others["running"] == [
        "hpobench.credit_g/smac/3: process 1 on far, since 2026-01-02T03:04:05+00:00"
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"host": 1}', "\0"])
def test_a_lock_file_may_say_anything(experiment, text):
    (experiment / "hpobench.credit_g/smac/3/.lock").write_text(text)
    assert len(status_of(experiment).others["interrupted"]) == 2


def test_long_lists_are_cut_unless_all_are_wanted(experiment):
    Plan(["seed=range(99)"], [f"hpobench.credit_g/smac/{seed}" for seed in range(99)]).write(experiment)
    found = status_of(experiment)
    assert "  and 85 more\n" in text_of(found, experiment)
    assert len(text_of(found, experiment, None).splitlines()) > 95


def test_an_experiment_that_is_done_has_no_command(tmp_path):
    folder = tmp_path / "runs" / "x"
    write_run(folder, "smac", 0, [trial(0, 0.7)])
    assert text_of(status_of(folder), folder) == f"{folder}: 1 of 1 runs complete"


def test_a_folder_that_is_no_experiment_is_refused(tmp_path):
    with pytest.raises(HyperboleError, match="There is no folder"):
        status_of(tmp_path / "nothing")


@pytest.mark.parametrize(
    "overrides",
    [
        ["benchmark=toy", "benchmark.task=branin", "optimizer=sobol", "seed=4", "budget.proposals=7"],
        [
            "optimizer=llm_chat",
            "prompt=context_full",
            "prompt.reasoning=true",
            "decoding.temperature=0.5",
            "name=other",
        ],
        ["optimizer=smac", "repair=clamp", "budget=evaluations", "budget.seconds=9.5", "benchmark.task='a b=c, [d]'"],
    ],
)
def test_a_run_without_a_sweep_is_continued_by_its_own_command(overrides):
    def job(given):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = GlobalHydra.instance().hydra.compose_config("config", given, run_mode=RunMode.RUN)
        choices = dict(config.hydra.runtime.choices)
        OmegaConf.set_struct(config, False)
        config.pop("hydra")
        return Template(config, choices, CONF.parent / "runs").job()

    asked = job(overrides)
    run = {
        **asked.identity,
        "budget": {key: asked.config["budget"][key] for key in ("proposals", "evaluations", "tokens", "seconds")},
    }
    assert job(shlex.split(shlex.join(overrides_of(run)))) == asked


def test_why_a_run_failed_before_it_had_a_folder(experiment):
    place = "hpobench.credit_g/smac/9"
    Plan(["seed=9"], [place]).write(experiment)
    keep_reasons(experiment, {place}, {place: "No such task."})
    found = status_of(experiment)
    assert f"{place}: No such task." in found.others["failed"]
    assert place not in found.others["missing"]
    keep_reasons(experiment, {place}, {})
    assert reasons_of(experiment) == {}


def test_a_sweep_leaves_why_its_runs_failed(tmp_path):
    given = ("-m", "benchmark=toy", "benchmark.task=branin,brannin", "tracker=none", "budget.proposals=2")
    assert hyperbole(*given, cwd=tmp_path).returncode == 2
    found = status_of(tmp_path / "runs/adhoc")
    (failed,) = found.others["failed"]
    assert "did you mean 'branin'?" in failed
    assert (found.complete, found.others["missing"]) == (1, [])
