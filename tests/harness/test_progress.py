"""What a person at a terminal sees, through a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

TOY = ["benchmark=toy", "benchmark.task=branin", "tracker=none"]


def at_a_terminal(folder, *overrides):
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "harness.run", *overrides, *TOY]
    process = subprocess.Popen(command, cwd=folder, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 4096):
            seen += chunk
    except OSError:  # Linux says EIO when the other side has closed
        pass
    os.close(master)
    assert process.wait() == 0
    return seen.decode()


def left_standing(seen):
    """The lines that remain once redrawn ones are gone."""
    return [re.sub(r".*\r", "", line.rstrip("\r")).replace("\x1b[K", "") for line in seen.split("\n") if line.strip()]


def test_a_run_is_one_line(tmp_path):
    (line,) = left_standing(at_a_terminal(tmp_path))
    assert re.fullmatch(r"toy\.branin random_search seed 0: 20 proposals, 0 invalid, value [\d.e+-]+, \d+ s", line)
    (line,) = left_standing(at_a_terminal(tmp_path))
    assert line == "adhoc/toy.branin/random_search/0: complete; skipped"


def test_a_sweep_is_a_line_a_run_and_one_for_itself(tmp_path):
    lines = left_standing(at_a_terminal(tmp_path, "-m", "seed=0,1"))
    assert [line.split(":")[0] for line in lines] == [
        "toy.branin random_search seed 0",
        "toy.branin random_search seed 1",
        "runs/adhoc",
    ]
    assert re.fullmatch(r"runs/adhoc: 2 complete; this sweep took \d+ s", lines[-1])
