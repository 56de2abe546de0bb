"""``-m`` in worker processes: what is on disk, who dies with whom, and what is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

from harness.engine.plan import plans_of
from harness.status import status_of
from tests.support.command import TIMELESS, hyperbole

TOY = ("benchmark=toy", "benchmark.task=branin", "tracker=none")
OF_TIME = {"started_at", "finished_at", "files"}
SLOW = """
from benchmarks.toy import Toy


class Slow(Toy):
    def evaluate(self, params, fidelity, seed):
        import time

        time.sleep(0.3)
        return super().evaluate(params, fidelity, seed)
"""


def records(folder):
    """Place -> run.json and rows, without times."""
    found = {}
    for path in sorted(folder.glob("runs/*/*/*/*/run.json")):
        run = {key: value for key, value in json.loads(path.read_text()).items() if key not in OF_TIME}
        lines = (path.parent / "trials.jsonl").read_text().splitlines()
        rows = [{key: value for key, value in json.loads(line).items() if key not in TIMELESS} for line in lines]
        found[path.parent.relative_to(folder).as_posix()] = run, rows
    return found


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A folder with a benchmark of 0.3 s per evaluation, and the overrides that choose it."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "conf/benchmark").mkdir(parents=True)
    (folder / "conf/benchmark/slow.yaml").write_text("_target_: slow_toy.Slow\ntask: branin\n")
    (folder / "slow_toy.py").write_text(textwrap.dedent(SLOW))
    return ["benchmark=slow", f"hydra.searchpath=[{folder / 'conf'}]", "tracker=none"], {"PYTHONPATH": str(folder)}


def test_a_sweep_leaves_what_single_commands_leave(tmp_path):
    sweep, alone = tmp_path / "sweep", tmp_path / "alone"
    sweep.mkdir()
    alone.mkdir()
    settings = [*TOY, "budget.proposals=4"]
    done = hyperbole("-m", *settings, "optimizer=random_search,sobol", "seed=0,1", "repair=none,clamp", cwd=sweep)
    assert done.returncode == 0, done.stderr
    for optimizer in ("random_search", "sobol"):
        for repair in ("none", "clamp"):
            hyperbole(*settings, f"optimizer={optimizer}", f"repair={repair}", "seed=1", cwd=alone)
    found, expected = records(sweep), records(alone)
    assert len(found) == 8
    assert {place: found[place] for place in expected} == expected


def test_a_run_that_jobs_name_twice_is_run_once(tmp_path):
    jobs = ("-m", *TOY, "optimizer=random_search", "decoding=free,json_schema", "seed=0,1", "budget.proposals=3")
    done = hyperbole(*jobs, cwd=tmp_path)
    assert len(records(tmp_path)) == 2
    assert "4 of 4 runs complete (2 of them" in done.stdout
    again = hyperbole(*jobs, cwd=tmp_path)
    assert "4 of 4 runs complete (4 of them before)" in again.stdout


def test_a_job_that_fails_does_not_stop_the_others(tmp_path):
    done = hyperbole("-m", *TOY, "seed=0,-1,-2,1", "budget.proposals=3", cwd=tmp_path)
    assert (done.returncode, len(records(tmp_path))) == (2, 2)
    assert "seed is -2; give a whole number" in done.stderr
    assert "seed is -1; give a whole number" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_runs_that_jobs_put_into_one_folder_are_not_taken_for_one(tmp_path):
    done = hyperbole("-m", *TOY, "seed=0", "budget.proposals=3,4", cwd=tmp_path)
    assert (done.returncode, len(records(tmp_path))) == (2, 1)
    assert (
        "Two jobs of this sweep share the folder adhoc/toy.branin/random_search/0, and budget.proposals" in done.stderr
    )


def test_a_sweep_over_names_leaves_each_experiment_its_own_runs(tmp_path):
    done = hyperbole("-m", *TOY, "seed=0", "budget.proposals=3,4", "name=of_${budget.proposals}", cwd=tmp_path)
    assert "Next: python -m analysis runs/of_3 && python -m analysis runs/of_4" in done.stdout
    for name in ("of_3", "of_4"):
        (found,) = plans_of(tmp_path / "runs" / name)
        assert found.places == ["toy.branin/random_search/0"]
        assert status_of(tmp_path / "runs" / name).complete == 1


def test_what_cannot_be_composed_runs_nothing(tmp_path):
    done = hyperbole("-m", *TOY, "seed=0,1", "budget.proposal=3", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'proposals'?" in done.stderr
    assert not (tmp_path / "runs").exists()


def start(slow, cwd, *more):
    overrides, environment = slow
    command = [sys.executable, "-m", "harness.run", "-m", *overrides, "hydra.launcher.processes=2", *more]
    return subprocess.Popen(command, cwd=cwd, env=os.environ | environment, stderr=subprocess.PIPE, text=True)


def workers_of(process):
    """Process ids of the workers: children of the fork server, which is a child of the command."""
    command = psutil.Process(process.pid)
    servers = {each.pid for each in command.children()}
    return [each.pid for each in command.children(recursive=True) if each.ppid() in servers]


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def logs(folder):
    return [path for path in folder.glob("runs/*/*/*/*/trials.jsonl") if path.stat().st_size]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_command_and_the_same_command_resumes(slow, tmp_path, number):
    process = start(slow, tmp_path, "seed=0,1", "budget.proposals=6")
    until(lambda: len(logs(tmp_path)) == 2)
    workers = workers_of(process)
    assert len(workers) == 2
    process.send_signal(number)
    process.communicate(timeout=60)
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), 20)
    before = [path.read_text() for path in logs(tmp_path)]
    overrides, environment = slow
    assert hyperbole("-m", *overrides, "seed=0,1", "budget.proposals=6", cwd=tmp_path, **environment).returncode == 0
    for path, text in zip(logs(tmp_path), before, strict=True):
        assert path.read_text().startswith(text[: text.rfind("\n") + 1])
        assert [json.loads(line)["index"] for line in path.read_text().splitlines()] == list(range(6))


def test_a_killed_worker_fails_its_run_alone(slow, tmp_path):
    process = start(slow, tmp_path, "seed=0,1,2", "budget.proposals=4")
    until(lambda: len(logs(tmp_path)) == 2)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "its process ended with SIGKILL; the same command resumes the run" in told
    assert sum(run["status"] == "complete" for run, _ in records(tmp_path).values()) == 2
