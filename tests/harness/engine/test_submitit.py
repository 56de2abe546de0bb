"""The launchers of submitit: an array of workers that share a queue in the runs' folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.engine.batch_worker import BatchWorker
from harness.engine.shared_queue import SharedQueue
from harness.engine.sign import shown
from harness.engine.submitit_pool import SubmititPool
from harness.engine.worker import Result
from harness.errors import SettingError
from harness.job import Done, Job
from tests.harness.engine.test_sweep_command import SLOW, TOY, logs, records, until
from tests.support.command import hyperbole

SEEDS = range(3)


def tasks_in(runs: Path, number: int = 10):
    return [(seed, Job(runs, f"x/toy.branin/m/{seed}", {"llm": None}, {})) for seed in range(number)]


def done(number: int, status: str = "complete") -> Result:
    return Result(number, Done(status, Path("x")))


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """Overrides of a benchmark of 0.3 s per evaluation, and the environment with it."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "conf/benchmark").mkdir(parents=True)
    (folder / "conf/benchmark/slow.yaml").write_text("_target_: slow_toy.Slow\ntask: branin\n")
    (folder / "slow_toy.py").write_text(SLOW)
    seeds = f"seed={','.join(map(str, SEEDS))}"
    chosen = ["benchmark=slow", f"hydra.searchpath=[{folder / 'conf'}]", "tracker=none", seeds, "budget.proposals=5"]
    return chosen, {"PYTHONPATH": str(folder)}


def start(slow, cwd):
    overrides, environment = slow
    launcher = ["hydra/launcher=submitit_local", "hydra.launcher.workers=2", "hydra.launcher.processes=1"]
    command = [sys.executable, "-m", "harness.run", "-m", *overrides, *launcher]
    return subprocess.Popen(command, cwd=cwd, env=os.environ | environment, stderr=subprocess.PIPE, text=True)


def holders(folder: Path):
    """Process ids of those who have runs."""
    texts = [path.read_text() for path in folder.glob("runs/*/*/*/*/.lock")]
    return [json.loads(text)["pid"] for text in texts if text]


def test_an_array_of_workers_leaves_what_the_local_workers_leave(tmp_path):
    array, alone = tmp_path / "array", tmp_path / "alone"
    array.mkdir()
    alone.mkdir()
    settings = ["-m", *TOY, "optimizer=random_search,sobol", "seed=0,1,-1", "budget.proposals=3"]
    left = hyperbole(*settings, "hydra/launcher=submitit_local", "hydra.launcher.workers=2", cwd=array)
    assert left.returncode == 2
    assert "seed is -1" in left.stderr
    assert "4 of 6 runs complete" in left.stdout
    hyperbole(*settings, cwd=alone)
    assert records(array) == records(alone) != {}
    assert len(list(array.glob("runs/adhoc/.sweep/.submitit/*/*_0_log.out"))) == 2
    assert not list(array.glob("runs/adhoc/.sweep/*.sign")) + list(array.glob("runs/adhoc/.sweep/*.queue"))


def test_runs_of_a_worker_that_is_killed_are_done_by_the_others(slow, tmp_path):
    process = start(slow, tmp_path)
    until(lambda: len(logs(tmp_path)) == 2 and len(holders(tmp_path)) == 2, 240)
    worker = holders(tmp_path)[0]
    parent = int(Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[1])
    above = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(above, signal.SIGKILL)  # the array's worker, whose fork server has the process that does the run
    _, told = process.communicate(timeout=240)
    assert process.returncode == 0, told
    found = records(tmp_path)
    assert [run["status"] for run, _ in found.values()] == ["complete"] * len(SEEDS)
    assert all([row["index"] for row in rows] == list(range(5)) for _, rows in found.values())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_on_this_machine_end_with_their_command(slow, tmp_path, number):
    process = start(slow, tmp_path)
    until(lambda: len(logs(tmp_path)) == 2 and len(holders(tmp_path)) == 2, 240)
    pids = holders(tmp_path)
    process.send_signal(number)
    _, told = process.communicate(timeout=240)
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), 240)
    assert "Traceback" not in told
    overrides, environment = slow
    assert hyperbole("-m", *overrides, cwd=tmp_path, **environment).returncode == 0
    rows = [rows for _, rows in records(tmp_path).values()]
    assert [[row["index"] for row in each] for each in rows] == [list(range(5))] * len(SEEDS)


def test_every_worker_has_all_runs_and_begins_elsewhere(tmp_path):
    queue = SharedQueue(tmp_path / "q")
    queue.write(tasks_in(tmp_path))
    orders = [[number for number, _ in queue.tasks_of(worker, 3)] for worker in range(3)]
    assert [order[0] for order in orders] == [0, 3, 6]
    assert all(sorted(order) == list(range(10)) for order in orders)


def test_a_result_is_read_once(tmp_path):
    queue, left = SharedQueue(tmp_path / "q"), {0, 1, 2}
    queue.write(tasks_in(tmp_path, 3))
    queue.add(done(1))
    queue.add(done(2))
    assert [result.number for result in queue.results(left)] == [1, 2]
    assert (left, list(queue.results(left))) == ({0}, [])
    assert (queue.has(0), queue.has(1)) == (False, True)


class Scripted:
    """A pool whose results are scripted per round; it skips what is done."""

    rounds: list

    def __init__(self, n_jobs, processes, is_done):
        self.is_done, self.n_jobs = is_done, n_jobs

    def results(self, tasks):
        script = self.rounds.pop(0)
        for number, _ in tasks:
            if not self.is_done(number):
                yield done(number, script.get(number, "complete"))


def test_a_run_that_another_worker_had_is_looked_at_again(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.engine.batch_worker.Pool", Scripted)
    Scripted.rounds = [{1: "busy", 2: "busy"}, {2: "busy"}]
    (tmp_path / "x").mkdir()
    queue = SharedQueue(tmp_path / "q")
    queue.write(tasks_in(tmp_path, 4))
    with shown(tmp_path / "x") as sign, monkeypatch.context() as patched:
        patched.setattr(BatchWorker, "_end_with_command", lambda self: None)
        BatchWorker(queue, sign, 2, 8, None)(0)
    assert [queue.has(number) for number in range(4)] == [True, True, False, True]


def test_a_worker_that_starts_after_its_command_does_nothing(tmp_path):
    BatchWorker(SharedQueue(tmp_path / "none"), tmp_path / "gone.sign", 2, 8, None)(0)
    assert not list(tmp_path.iterdir())


def test_without_slurm_there_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match=r"needs Slurm, but this machine has no sbatch; .*\.$"):
        SubmititPool("slurm", 4, 32, None, tmp_path, {})


def test_without_submitit_there_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.engine.extra.find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"hydra/launcher=submitit_local needs the package submitit.*pip install"):
        SubmititPool("local", 4, 32, None, tmp_path, {})


def slurm(folder: Path, sbatch: str) -> None:
    """Slurm's commands, as far as submitit calls them to submit."""
    folder.mkdir()
    for name, script in {"sbatch": sbatch, "srun": "exit 0", "sacct": "exit 0", "scancel": "exit 0"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


@pytest.mark.slow
def test_slurm_gets_one_array_of_workers(tmp_path, monkeypatch):
    slurm(tmp_path / "bin", f"cat $1 > {tmp_path}/submitted; echo Submitted batch job 42")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    settings = {"partition": "cpu", "timeout_min": 60, "name": "sweep", "max_num_timeout": 10, "qos": None}
    pool = SubmititPool("slurm", 4, 32, None, tmp_path / "%j", settings)
    queue = SharedQueue(tmp_path / "q")
    jobs = pool._submitted(queue, tmp_path / "sign", 4)
    submitted = (tmp_path / "submitted").read_text()
    assert [job.job_id for job in jobs] == ["42_0", "42_1", "42_2", "42_3"]
    assert "#SBATCH --array=0-3" in submitted
    assert "#SBATCH --partition=cpu" in submitted
    assert "--qos" not in submitted


@pytest.mark.slow
def test_what_slurm_refuses_is_one_sentence(tmp_path, monkeypatch):
    slurm(tmp_path / "bin", "echo 'sbatch: error: invalid partition specified: cpus' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    pool = SubmititPool("slurm", 4, 32, None, tmp_path / "%j", {"partition": "cpus", "timeout_min": 60})
    (tmp_path / "runs/x").mkdir(parents=True)
    with pytest.raises(SettingError, match="invalid partition specified: cpus") as caught:
        list(pool.results(tasks_in(tmp_path / "runs", 3)))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "runs/x/.sweep").iterdir()) == []
