"""Output on a terminal, through a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from harness.budget import Budget
from harness.console import pace
from harness.problem import Objective
from harness.progress import RunLine

TOY = ["benchmark=toy", "benchmark.task=branin", "tracker=none"]


def at_a_terminal(folder, *overrides, **environment):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "harness.run", *overrides, *TOY]
    process = subprocess.Popen(
        command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=os.environ | environment
    )
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 4096):
            seen += chunk
    except OSError:  # EIO on Linux when the other side has closed
        pass
    os.close(master)
    assert process.wait() == 0
    return seen.decode()


def left_standing(seen):
    """The lines that remain after redrawn ones are erased."""
    return [re.sub(r".*\r", "", line.rstrip("\r")).replace("\x1b[K", "") for line in seen.split("\n") if line.strip()]


def test_a_run_is_a_line_and_what_comes_next(tmp_path):
    seen = at_a_terminal(tmp_path)
    line, after = left_standing(seen)
    assert re.fullmatch(
        r"toy\.branin random_search seed 0: 20/20 proposals, 0 invalid \(0 %\), value [\d.e+-]+, \d+ s", line
    )
    assert after == "Results: runs/adhoc/toy.branin/random_search/0; next: python -m analysis runs/adhoc"
    assert re.search(r"seed 0: \d+/20 proposals, 0 invalid \(0 %\), value [\d.]+, 0 s, [\d.e+]+/s, \d+ s left", seen)
    skipped, again = left_standing(at_a_terminal(tmp_path))
    assert (skipped, again) == ("adhoc/toy.branin/random_search/0: complete; skipped", after)


def test_a_sweep_is_a_line_a_run_and_a_summary(tmp_path):
    seen = at_a_terminal(tmp_path, "-m", "seed=0,1", "hydra/launcher=basic")
    lines = left_standing(seen)
    assert [line.split(":")[0] for line in lines] == [
        "toy.branin random_search seed 0",
        "toy.branin random_search seed 1",
        "runs/adhoc",
        "toy.branin",
        "Next",
    ]
    assert re.search(r"/s, \d+ s left; run 2/2, \d+ s left for all", seen)
    assert re.match(r"runs/adhoc: 2 of 2 runs complete; 40 proposals, 0 invalid", lines[2])


def test_runs_side_by_side_are_counted(tmp_path):
    (tmp_path / "slow.py").write_text(
        "import time\nfrom benchmarks.toy import Toy\nclass Slow(Toy):\n"
        "    def evaluate(self, params, fidelity, seed):\n"
        "        time.sleep(0.4)\n        return super().evaluate(params, fidelity, seed)\n"
    )
    overrides = ["-m", "seed=0,1,2,3", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "budget.proposals=3"]
    seen = at_a_terminal(tmp_path, *overrides, "benchmark._target_=slow.Slow", PYTHONPATH=str(tmp_path))
    shown = re.sub(r"\x1b\[[\d;?]*\w", "", seen)
    assert re.search(r"runs/adhoc: \S+ [1-3]/4 runs, [12] in flight, hallucination rate 0 %, (\d+ s|–) left", shown)
    lines = left_standing(seen)
    named = sorted(line.split(":")[0] for line in lines[:4])
    assert [re.sub(r"\+\S+", "", name) for name in named] == [f"toy.branin random_search seed {n}" for n in range(4)]
    assert lines[4].startswith("runs/adhoc: 4 of 4 runs complete; 12 proposals")


def row(index, **changes):
    usage = {"prompt_tokens": 80, "completion_tokens": 20}
    return {
        "violations": [], "losses": {"x": 1.0 - index}, "fidelity": None, "executed": {}, "usage": usage,
        "ask_seconds": 1.0, "evaluation_seconds": 4.0, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (Budget(proposals=10), "2/10 proposals, 1 invalid (50 %)"),
        (Budget(proposals=200, evaluations=4), "1/4 evaluations, 2 proposals, 1 invalid"),
        (Budget(proposals=1000, tokens=1000), "200/1,000 tokens, 2 proposals"),
        (Budget(seconds=60.0, proposals=100), "6/60 seconds, 2 proposals"),
    ],
)
def test_progress_is_of_the_limit_that_is_nearest(budget, told):
    line = RunLine("run", Objective("x", "minimize"), False, budget)
    line.add(row(0))
    line.add(
        row(
            1,
            violations=[{"fault": "forbidden", "name": "x", "value": 1}],
            losses=None,
            executed=None,
            evaluation_seconds=None,
        )
    )
    assert line.text().startswith(f"run: {told}")


def test_time_left_counts_new_trials_alone():
    assert pace(0, 5.0, 0.0, 1.0) == "0/s, ? left"
    assert pace(10, 5.0, 0.5, 0.5) == "2/s, 5 s left"
    assert pace(1, 60.0, 0.1, 0.9) == "1/min, 9 min left"
    assert pace(1, 3600.0, 0.1, 0.9) == "0.017/min, 9.0 h left"
