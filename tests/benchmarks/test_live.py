from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time

import pytest
from ConfigSpace import Categorical, ConfigurationSpace

from benchmarks.shared.measures import outcome
from benchmarks.training.live import Live
from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.problem import EvaluationError, Fidelity, Objective, Problem, complete
from harness.repair import NoRepair
from tests.support.command import hyperbole, rows
from tests.support.fakes import Scripted

TRAINER = "tests.support.fake_trainer:Trainer"


def live(cache="none", limit_seconds=None, **settings):
    return Live(TRAINER, settings, "fake 1", limit_seconds, cache)


@pytest.fixture(scope="module")
def shared():
    trainer = live()
    yield trainer
    trainer.close()


def measure(trainer, what, seed=0, steps=3):
    return trainer.measure({"what": what}, {"steps": steps}, seed)


def gone(pid):
    pid = int(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"


def test_it_trains_in_another_process_that_stays(shared):
    first, second = (measure(shared, "fine", seed=seed).values for seed in (1, 2))
    assert (first["score"], second["score"]) == (4, 5)
    assert first["pid"] == second["pid"] != os.getpid()


def test_a_trainer_can_say_what_an_evaluation_costs(shared):
    told = measure(shared, "quick")
    assert told.seconds == 1e-9 < measure(shared, "fine").seconds
    assert "evaluation_seconds" not in told.values


def test_what_the_model_raises_is_the_reason_in_one_line(shared):
    with pytest.raises(EvaluationError, match=r"^ValueError: the solver diverged$") as error:
        measure(shared, "raise")
    assert error.value.seconds >= 0


def test_the_end_of_the_process_is_a_failure_and_the_next_finds_another(shared):
    before = measure(shared, "fine").values["pid"]
    with pytest.raises(EvaluationError, match=r"died .SIGSEGV"):
        measure(shared, "die")
    after = measure(shared, "fine").values["pid"]
    assert before != after
    assert gone(before)


def test_out_of_time_the_process_is_really_stopped():
    trainer = live(limit_seconds=1)
    pid = measure(trainer, "fine").values["pid"]
    with pytest.raises(EvaluationError, match=r"^Out of time: stopped after 1 s.$") as error:
        measure(trainer, "hang")
    assert error.value.seconds >= 1
    assert gone(pid)
    assert measure(trainer, "fine").values["score"] == 3


def test_what_comes_before_the_training_is_no_part_of_its_limit():
    trainer = live(limit_seconds=0.5, build_seconds=0.7)
    assert measure(trainer, "fine").values["score"] == 3


def test_a_trainer_that_cannot_be_built_fails_the_evaluation():
    with pytest.raises(EvaluationError, match="FileNotFoundError: no data whatever"):
        measure(live(scale=0), "fine")


def test_nothing_is_left_behind_when_it_is_dropped_or_its_parent_is_killed(tmp_path):
    trainer = live()
    pid = int(measure(trainer, "fine").values["pid"])
    del trainer
    assert gone(pid)
    code = (
        "from tests.benchmarks.test_live import *\n"
        "if __name__ == '__main__':\n"
        "    trainer = live()\n"
        "    print(int(measure(trainer, 'fine').values['pid']), flush=True)\n"
        "    measure(trainer, 'hang')\n"
    )
    script = tmp_path / "parent.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as parent:
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    deadline = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(pid)


@pytest.mark.parametrize("limit", [0, -1, True, math.inf, 1e10])
def test_a_limit_that_is_none(limit):
    with pytest.raises(SettingError, match="limit_seconds is"):
        live(limit_seconds=limit)


def test_a_kept_evaluation_is_not_trained_again(tmp_path):
    path = str(tmp_path / "kept.sqlite")
    first = measure(live(path), "slow")
    again = live(path)
    assert measure(again, "slow") == first
    assert not again.running, "a cache hit needs no process"
    assert measure(again, "slow", seed=1).values["score"] == first.values["score"] + 1
    assert measure(live(path, scale=2.0), "slow").values["score"] == 6
    assert measure(live(path, folder="/elsewhere"), "slow") == first


def test_the_key_knows_no_order_and_tells_kinds_apart():
    trainer = live()
    assert trainer.key({"a": 1, "b": 2}, {"steps": 3}, 0) == trainer.key({"b": 2, "a": 1}, {"steps": 3.0}, 0)
    keys = {trainer.key({"a": value}, {"steps": 3}, 0) for value in (1, True, "1")}
    assert len(keys) == 3
    assert json.loads(keys.pop())[0]["packages"]["scikit-learn"]


def test_what_the_cache_does_not_hold_is_trained_again(tmp_path):
    path = str(tmp_path / "kept.sqlite")
    first = measure(live(path), "fine").values["pid"]
    knowing = Live(TRAINER, {}, "fake 1", None, path, needs=["score", "energy_joules"])
    assert measure(knowing, "fine").values["pid"] != first


class Doomed:
    """A family whose configurations each meet an end of their own."""

    def __init__(self):
        self._live = live(limit_seconds=1)
        space = ConfigurationSpace(name="doomed", seed=0)
        space.add(Categorical("what", ["fine", "raise", "die", "hang", "nan"]))
        steps = Fidelity("steps", 1, 3, integer=True)
        self.problem = Problem("doomed.x", space, (Objective("score", "maximize"),), {"what": "fine"}, (steps,))

    def evaluate(self, params, fidelity, seed):
        measured = self._live.measure(params, complete(fidelity, self.problem), seed)
        return outcome(measured.values, self.problem.objectives, measured.seconds)


def test_a_crash_a_nan_and_an_end_of_time_are_failed_trials_and_the_run_goes_on():
    benchmark, found = Doomed(), []
    order = ["fine", "die", "nan", "hang", "raise", "fine"]
    optimizer = Scripted([{"what": what} for what in order])
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), Budget(proposals=6), 0, found.append)
    assert [row["error"] for row in found] == [
        None,
        "The training process died (SIGSEGV).",
        "The evaluation returned nan for score.",
        "Out of time: stopped after 1 s.",
        "ValueError: the solver diverged",
        None,
    ]
    assert [row["losses"] for row in found] == [{"score": -3.0}, None, None, None, None, {"score": -3.0}]
    assert all(row["evaluation_seconds"] is not None for row in found), "what failed took its time, too"
    assert found[3]["evaluation_seconds"] >= 1


def test_it_trains_under_a_launcher_that_has_processes_of_its_own(tmp_path):
    overrides = ("benchmark=bayesmark", "benchmark.task=iris", "benchmark.model=kNN", "budget.proposals=3")
    place = f"benchmark.cache={tmp_path / 'kept.sqlite'}"
    done = hyperbole("-m", *overrides, place, "seed=0,1", "hydra/launcher=joblib", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    logs = sorted(tmp_path.rglob("trials.jsonl"))
    assert len(logs) == 2
    for log in logs:
        assert [row["error"] for row in rows(log.parent)] == [None] * 3


def test_failures_are_not_kept(tmp_path):
    trainer = live(str(tmp_path / "kept.sqlite"))
    for _ in range(2):
        with pytest.raises(EvaluationError):
            measure(trainer, "raise")


def test_jobs_side_by_side_train_a_model_once(tmp_path):
    script = tmp_path / "job.py"
    script.write_text(
        "import sys\n"
        "from tests.benchmarks.test_live import *\n"
        "if __name__ == '__main__':\n"
        "    print(int(measure(live(sys.argv[1]), 'slow').values['pid']))\n"
    )
    command = [sys.executable, str(script), str(tmp_path / "kept.sqlite")]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(3)]
    pids = {job.communicate()[0] for job in jobs}
    assert all(job.returncode == 0 for job in jobs)
    assert len(pids) == 1


def test_a_cache_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SettingError, match=r"benchmark\.cache=none"):
        live(str(tmp_path / "file" / "kept.sqlite"))
    (tmp_path / "text.sqlite").write_text("this is no database" * 100)
    with pytest.raises(SettingError, match="cannot be used"):
        live(str(tmp_path / "text.sqlite"))
