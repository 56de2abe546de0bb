"""The main command as used by its users."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.support.command import command, hyperbole, rows, run_json, sentence

TOY = ("benchmark=toy", "benchmark.task=branin")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    assert hyperbole(*TOY, cwd=folder).returncode == 0
    return folder


def test_a_run_leaves_its_folder_and_nothing_else(finished):
    run = run_json(finished)
    assert [path.name for path in finished.iterdir()] == ["runs"]
    assert (finished / "runs/adhoc/toy.branin/random_search/0/trials.jsonl").exists()
    assert run["status"] == "complete"
    assert (run["schema"], run["benchmark"], run["task"], run["method"]) == (2, "toy", "branin", "random_search")
    assert (run["llm"], run["config"]["llm"], run["config"]["decoding"]) == (None, None, None)
    assert run["versions"]["ConfigSpace"]
    assert len(rows(finished)) == 20


def test_a_pipe_gets_the_summary_of_a_run_and_nothing_else(tmp_path):
    done = hyperbole(*TOY, cwd=tmp_path)
    assert done.stderr == ""
    found, where = done.stdout.splitlines()
    assert re.fullmatch(
        r"toy\.branin random_search seed 0: complete, 20 proposals, 0 invalid \(0 %\), best value [\d.]+", found
    )
    folder = "runs/adhoc/toy.branin/random_search/0"
    assert where == f"Results: {folder}; next: python -m analysis runs/adhoc"
    again = hyperbole(*TOY, cwd=tmp_path)
    assert again.stdout.splitlines() == ["adhoc/toy.branin/random_search/0: complete; skipped", found, where]


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_pipe_gets_the_summary_of_a_sweep(tmp_path, launcher):
    line = ["-m", "benchmark=toy", "seed=0,1", f"hydra/launcher={launcher}", "budget.proposals=4"]
    done = hyperbole(*line, "benchmark.task=branin,bran", cwd=tmp_path)
    assert done.returncode == 2
    said, best, after = done.stdout.splitlines()
    assert re.fullmatch(
        r"runs/adhoc: 2 of 4 runs complete \(2 failed\); 8 proposals, 0 invalid \(0 %\); this sweep took \d+ s", said
    )
    assert re.fullmatch(r"toy\.branin: best value [\d.]+ by random_search, seed [01]", best)
    assert after == "Next: python -m analysis runs/adhoc; the same command continues with the rest"
    done = hyperbole(*line, "benchmark.task=branin", cwd=tmp_path)
    assert done.stderr == ""
    assert "2 of 2 runs complete (2 of them before)" in done.stdout


def test_a_closed_reader_fails_no_run(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "harness.run", *TOY, "tracker=none"],
            cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert run_json(tmp_path)["status"] == "complete"


def test_a_complete_run_is_skipped(finished):
    before = (finished / "runs/adhoc/toy.branin/random_search/0/trials.jsonl").stat().st_mtime_ns
    assert hyperbole(*TOY, cwd=finished).returncode == 0
    assert (finished / "runs/adhoc/toy.branin/random_search/0/trials.jsonl").stat().st_mtime_ns == before


def test_another_configuration_in_the_same_folder_is_refused_by_name(finished):
    told = sentence(hyperbole(*TOY, "budget.proposals=5", cwd=finished))
    assert "budget.proposals was 20 and is now 5" in told
    assert len(rows(finished)) == 20


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["optimizer=smca"], "did you mean 'smac'"),
        (["benchmark=hpobnch"], "did you mean 'hpobench'"),
        (["benchmark.task=credit"], "did you mean 'credit_g'"),
        (["optimizer=llm_chat", "llm=smolm2"], "did you mean 'smollm2_135m'"),
        (["budget.proposal=5"], "did you mean 'proposals'"),
        (["optimizr=smac"], "did you mean 'optimizer'"),
        (["optimizer=llm_chat", "optimizer.histry=conversation"], "did you mean 'history'"),
        (["optimizer=llm_chat", "optimizer.history=compress"], "did you mean 'compressed'"),
        (["optimizer=llm_chat", "decoding.mode=json_schem"], "did you mean 'json_schema'"),
        (["+optimizer.start=default"], "Unknown setting of optimizer 'start'"),
        (["benchmark.space=gird"], "did you mean 'grid'"),
        (["seed=x"], "seed is 'x'"),
        (["seed=-1"], "seed is -1"),
        (["budget.proposals=null"], "no limit"),
        (["budget.proposals=-3"], "budget.proposals is -3"),
        (["budget.proposals=null", "budget.tokens=100"], "budget.tokens alone never ends"),
        (["name=../elsewhere"], "name is '../elsewhere'"),
        (["seed=[1"], "Cannot read 'seed=[1': its [ is not closed"),
        (["params={"], "Cannot read 'params={': its { is not closed"),
        (["=3"], "it has no setting"),
        (["seed=0,1"], "'seed=0,1' has several values: add -m"),
        (["optimizer=smac,random_search"], "'optimizer=smac,random_search' has several values: add -m"),
        (["experiment=classical", "seed=1"], "experiment=classical sweeps over optimizer, benchmark.task: add -m"),
        (["benchmark={tsk: kc1}"], "Unknown setting of benchmark 'tsk'; did you mean 'task'?"),
        (["--foo"], "Unknown option '--foo'"),
        (["optimizer._targ_=x"], "Unknown setting of optimizer '_targ_'; there are none."),
        (["optimizer=llm_chat", "optimizer.cht=x"], "Valid: history, temperature."),
        (
            ["foldr=x"],
            "Valid: benchmark, budget, decoding, dry, llm, name, optimizer, probe, prompt, repair, seed, start, ",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_what_to_do(tmp_path, overrides, told):
    assert told in sentence(hyperbole(*overrides, cwd=tmp_path))
    assert list(tmp_path.rglob("*/*")) == [], "a mistake leaves no folder behind"


@pytest.mark.parametrize("optimizer", ["random_search", "smac"])
def test_the_same_seed_gives_the_same_log_in_every_process(tmp_path, optimizer):
    for salt in ("1", "2"):
        done = hyperbole(*TOY, f"optimizer={optimizer}", f"name=salt{salt}", cwd=tmp_path, PYTHONHASHSEED=salt)
        assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "runs/salt1") == rows(tmp_path / "runs/salt2")


SLOW = """
    import time
    from benchmarks.toy import Toy
    class Slow(Toy):
        def evaluate(self, params, fidelity, seed):
            time.sleep(0.05)
            return super().evaluate(params, fidelity, seed)
"""


@pytest.mark.parametrize("optimizer", ["random_search", "smac"])
@pytest.mark.parametrize("torn", [b"", b'{"index": 7, "prop'])
def test_a_killed_run_continues_where_it_stopped(tmp_path, optimizer, torn):
    (tmp_path / "slow.py").write_text(textwrap.dedent(SLOW))
    overrides = [*TOY, "benchmark._target_=slow.Slow", f"optimizer={optimizer}", "tracker=none", "name=killed"]
    task = "toy.branin+_target_=slow.Slow+failure_rate=0"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-m", "harness.run", *overrides], cwd=tmp_path, env=environment)
    log = tmp_path / f"runs/killed/{task}/{optimizer}/0/trials.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (log.exists() and log.read_bytes().count(b"\n") >= 5):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = log.read_bytes()
    assert run_json(tmp_path)["status"] == "running"
    assert 5 <= before.count(b"\n") < 20
    log.write_bytes(before + torn)

    assert hyperbole(*overrides, cwd=tmp_path, PYTHONPATH=str(tmp_path)).returncode == 0
    assert log.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    resumed = rows(tmp_path / "runs/killed")
    assert hyperbole(*overrides, "name=whole", cwd=tmp_path, PYTHONPATH=str(tmp_path)).returncode == 0
    assert resumed == rows(tmp_path / "runs/whole")


def test_a_failed_run_says_so_and_keeps_its_traceback_when_the_mistake_is_not_the_users(tmp_path):
    (tmp_path / "broken.py").write_text(
        "from optimizers.random_search import RandomSearch\n"
        "class Broken(RandomSearch):\n"
        "    def tell(self, trial):\n"
        "        if trial.index == 3:\n"
        "            raise ZeroDivisionError('oops')\n"
    )
    done = hyperbole(*TOY, "optimizer._target_=broken.Broken", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "ZeroDivisionError: oops" in done.stderr
    assert run_json(tmp_path)["status"] == "failed"
    assert run_json(tmp_path)["error"] == "ZeroDivisionError: oops"
    assert len(rows(tmp_path)) == 4


def test_an_optimizer_outside_the_repository_runs(tmp_path):
    (tmp_path / "conf/optimizer").mkdir(parents=True)
    (tmp_path / "conf/optimizer/corner.yaml").write_text("_target_: corner.Corner\nshare: 0.5\n")
    (tmp_path / "corner.py").write_text(
        textwrap.dedent(
            """
            from harness.trial import Proposal
            class Corner:
                def __init__(self, problem, seed, budget, share):
                    self.params, self.told = dict(problem.default), []
                def ask(self):
                    return Proposal(self.params)
                def tell(self, trial):
                    self.told.append(trial)
            """
        )
    )
    overrides = [*TOY, "optimizer=corner", f"hydra.searchpath=[{tmp_path / 'conf'}]"]
    done = hyperbole(*overrides, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["duplicate_of"] for row in rows(tmp_path / "runs/adhoc/toy.branin/corner")] == [None, *[0] * 19]


@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_local", "ray"])
def test_a_multirun_works_with_every_launcher(tmp_path, launcher):
    extra = ["hydra.launcher.processes=2"] if launcher == "ray" else []
    done = hyperbole(
        "-m", *TOY, "optimizer=random_search", "seed=0,1", f"hydra/launcher={launcher}", *extra, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = sorted(path.parent.name for path in tmp_path.rglob("run.json"))
    assert found == ["0", "1"]
    assert {json.loads(path.read_text())["status"] for path in tmp_path.rglob("run.json")} == {"complete"}


def test_m_may_follow_overrides(tmp_path):
    done = hyperbole(*TOY, "budget.proposals=2", "-m", "seed=0,1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.parent.name for path in tmp_path.rglob("run.json")) == ["0", "1"]


def test_one_bad_job_leaves_the_others_of_a_sweep_alone(tmp_path):
    done = hyperbole("-m", "benchmark=toy", "benchmark.task=branin,branino,peak", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'branin'" in done.stderr
    assert len(list(tmp_path.rglob("run.json"))) == 2


def test_two_processes_do_not_share_a_run(tmp_path):
    overrides = ["-m", *TOY, "optimizer=random_search,random_search", "hydra/launcher=joblib"]
    done = hyperbole(*overrides, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path)) == 20


def test_evaluate_prints_one_row(tmp_path):
    params = "params={alpha: 1e-8, batch_size: 4, depth: 1, learning_rate_init: 1e-5, width: 16}"
    done = command("harness.evaluate", "benchmark=hpobench", "benchmark.task=credit_g", params, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["violations"] == []
    assert row["losses"] == {"balanced_accuracy": pytest.approx(-0.642594, abs=1e-6)}
    assert list(tmp_path.iterdir()) == []


def test_evaluate_prints_the_violations_of_an_invalid_configuration(tmp_path):
    done = command("harness.evaluate", "benchmark.task=kc1", "params={depth: 9, width: '64'}", cwd=tmp_path)
    assert done.returncode == 1
    row = json.loads(done.stdout)
    assert row["losses"] is None
    assert {(violation["name"], violation["fault"]) for violation in row["violations"]} >= {
        ("depth", "not_a_choice"),
        ("width", "wrong_type"),
        ("alpha", "missing"),
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["benchmark.task=kc1"], "params="),
        (["benchmark.task=kc2", "params={}"], "did you mean 'kc1'"),
        (["params=3"], "params"),
        (["params={"], "its { is not closed"),
        (["params={}", "seed=0,1"], "'seed=0,1' has several values: give this command one"),
    ],
)
def test_evaluate_answers_mistakes_with_a_sentence(tmp_path, arguments, told):
    assert told in sentence(command("harness.evaluate", *arguments, cwd=tmp_path))
