"""One line per command: its runs and its meters' values; no failure of it can fail a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime

import cloudpickle
import pytest
from omegaconf import OmegaConf

from harness.sweep_record import SweepRecord, runs_since
from tests.support.command import hyperbole
from tests.support.run_folders import write_run

TOY = ("benchmark=toy", "benchmark.task=branin", "budget.proposals=3")


def lines(folder, name="adhoc"):
    path = folder / "runs" / name / "sweeps.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Meter:
    def __init__(self, reading=None, error=None):
        self.reading, self.error, self.runs = reading, error, None

    def start(self, config):
        self.name = config["name"]

    def stop(self, runs):
        self.runs = runs
        if self.error is not None:
            raise self.error
        return self.reading


@pytest.fixture
def composed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    overrides = {"task": ["seed=3", "llm.api_key=hush"], "hydra": ["hydra.mode=RUN"]}
    return OmegaConf.create({"name": "adhoc", "hydra": {"overrides": overrides}})


def write(folder, name, host=None, **times):
    place, method, seed = name.split("/")
    benchmark, _, task = place.partition(".")
    times = {"finished_at": None} | times
    host = os.uname().nodename if host is None else host
    run = write_run(folder / "runs/adhoc", method, int(seed), (), task=task, benchmark=benchmark, host=host, **times)
    return run / "run.json"


def stamp(seconds):
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat(timespec="milliseconds")


def test_a_line_holds_what_the_meters_say(composed, tmp_path):
    meter, broken = Meter({"joules": 5}), Meter(error=ZeroDivisionError("oops"))
    record = SweepRecord({"energy": meter, "server": broken})
    record.on_run_start(composed, config_name="config")
    write(tmp_path, "a.b/c/0", finished_at=stamp(1))
    write(tmp_path, "a.b/c/1", host="elsewhere", finished_at=stamp(1))
    record.on_run_end(composed)
    record.close()
    (line,) = lines(tmp_path)
    assert line["runs"] == ["a.b/c/0"]
    assert line["elsewhere"] == ["a.b/c/1"]
    assert [run["finished_at"] is None for run in meter.runs] == [False]
    assert line["energy"] == {"joules": 5}
    assert line["server"] == {"reason": "ZeroDivisionError: oops"}
    assert line["overrides"] == ["seed=3", "llm.api_key=***", "hydra.mode=RUN"]
    assert line["started_at"] <= line["finished_at"]
    assert meter.name == "adhoc"


def test_a_command_without_work_leaves_no_line(composed, tmp_path):
    meter = Meter({})
    record = SweepRecord({"energy": meter})
    write(tmp_path, "a.b/c/0", started_at=stamp(-90), finished_at=stamp(-60))
    record.on_run_start(composed)
    record.on_run_end(composed)
    assert lines(tmp_path) == []
    assert meter.runs == [], "it is stopped all the same: it may hold something"


def test_a_number_is_an_experiments_name_too(composed, tmp_path):
    record = SweepRecord({})
    composed.name = 2026
    record.on_run_start(composed)
    write(tmp_path, "a.b/c/0", finished_at=stamp(1))
    (tmp_path / "runs/adhoc").rename(tmp_path / "runs/2026")
    record.on_run_end(composed)
    assert len(lines(tmp_path, "2026")) == 1


@pytest.mark.parametrize("change", [{"name": "${nowhere}"}, {"name": None}, {"seed": "${nowhere}"}])
def test_what_cannot_be_resolved_is_the_runs_to_say(composed, tmp_path, change):
    del composed["name"]
    composed = OmegaConf.merge(composed, {"name": "adhoc"} | change)
    composed.hydra.overrides.task = [f"{name}={value}" for name, value in change.items()]
    record = SweepRecord({})
    record.on_run_start(composed)
    record.on_run_end(composed)
    assert not (tmp_path / "runs").exists()


def test_a_record_that_cannot_be_written_fails_nothing(composed, tmp_path):
    record = SweepRecord({})
    record.on_run_start(composed)
    write(tmp_path, "a.b/c/0", finished_at=stamp(1))
    (tmp_path / "runs/adhoc/sweeps.jsonl").mkdir()
    record.on_run_end(composed)


def test_which_runs_were_worked_on(tmp_path):
    start = stamp(0)
    old = {"started_at": stamp(-90), "finished_at": stamp(-60)}
    write(tmp_path, "a.b/complete/0", **old)
    write(tmp_path, "a.b/new/0", started_at=stamp(1))
    write(tmp_path, "a.b/resumed/0", **old | {"finished_at": stamp(1)})
    os.utime(write(tmp_path, "a.b/touched/0", started_at=stamp(-90)), (time.time() + 1,) * 2)
    os.utime(write(tmp_path, "a.b/left/0", started_at=stamp(-90)), (time.time() - 80,) * 2)
    (tmp_path / "runs/adhoc/a.b/odd/0").mkdir(parents=True)
    (tmp_path / "runs/adhoc/a.b/odd/0/run.json").write_text("{")
    assert sorted(runs_since(tmp_path / "runs/adhoc", start)) == ["a.b/new/0", "a.b/resumed/0", "a.b/touched/0"]


def test_a_workers_copy_does_nothing(composed, tmp_path):
    record = SweepRecord({"energy": Meter({})})
    record.on_multirun_start(composed)
    write(tmp_path, "a.b/c/0", finished_at=stamp(1))
    copy = cloudpickle.loads(cloudpickle.dumps(record))
    copy.on_run_end(composed)
    assert lines(tmp_path) == []
    record.on_multirun_end(composed)
    assert len(lines(tmp_path)) == 1


def test_a_sweep_is_one_line_and_its_second_start_none(tmp_path):
    sweep = ("-m", *TOY, "seed=0,1", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    for _ in range(2):
        assert hyperbole(*sweep, cwd=tmp_path).returncode == 0
        (line,) = lines(tmp_path)
    assert line["runs"] == ["toy.branin/random_search/0", "toy.branin/random_search/1"]
    assert line["server"] is None, "no run used a model"
    assert set(line["energy"]) == {"cpu_joules", "gpu_joules", "reasons"}
    assert line["seconds"] > 0


def test_a_sweep_with_a_failed_job_is_recorded(tmp_path):
    done = hyperbole("-m", "benchmark=toy", "benchmark.task=branino,branin", "budget.proposals=3", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'branin'" in done.stderr
    assert [line["runs"] for line in lines(tmp_path)] == [["toy.branin/random_search/0"]]


def test_a_run_that_is_interrupted_is_recorded(tmp_path):
    slow = """
        import time
        from benchmarks.toy import Toy
        class Slow(Toy):
            def evaluate(self, params, fidelity, seed):
                time.sleep(0.05)
                return super().evaluate(params, fidelity, seed)
    """
    (tmp_path / "slow.py").write_text(textwrap.dedent(slow))
    overrides = [*TOY[:2], "benchmark._target_=slow.Slow", "budget.proposals=500", "tracker=none"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-m", "harness.run", *overrides], cwd=tmp_path, env=environment)
    deadline, logs = time.monotonic() + 60, []
    while time.monotonic() < deadline and not any(log.read_bytes().count(b"\n") >= 2 for log in logs):
        time.sleep(0.02)
        logs = list((tmp_path / "runs/adhoc").glob("*/random_search/0/trials.jsonl"))
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    (log,) = logs
    assert [line["runs"] for line in lines(tmp_path)] == [[str(log.parent.relative_to(tmp_path / "runs/adhoc"))]]
