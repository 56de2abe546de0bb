"""The person as the optimizer, typing into a pipe and into a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.replay import replay_all
from optimizers.chat.prompt import Prompt
from optimizers.human import Human, read_assignments
from tests.support.command import rows, run_json
from tests.support.fakes import Line, ScriptedChat

COMMAND = ("-m", "harness.run")
HUMAN = ("optimizer=human", "benchmark=toy", "tracker=none", "budget.proposals=3")
GOOD = "x1=3 x2=2.5 surface=smooth\n"
BAD = '{"x1": 30, "x2": 2.5,\n "surface": "smooth"}\n'


def typed(text, folder, *overrides):
    """The command with answers in a pipe that then ends."""
    return subprocess.run(
        [sys.executable, *COMMAND, *overrides, *HUMAN],
        cwd=folder, input=text, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def play(answers, benchmark=None, prompt=None, **settings):
    benchmark = benchmark or Line()
    chat, budget, played = ScriptedChat(answers), Budget(proposals=len(answers)), []
    optimizer = Human(benchmark.problem, 0, budget, chat=chat, prompt=prompt or Prompt(), **settings)
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, played.append)
    return played, [request.messages[-1].content for request in chat.requests], chat.requests


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("x=1 units=2", {"x": 1, "units": 2}),
        ("x = 0.5,units=2,", {"x": 0.5, "units": 2}),
        ('a=true b=True c=1e-3 d=rbf', {"a": True, "b": "True", "c": 0.001, "d": "rbf"}),
        ('a="two words"', {"a": "two words"}),
        ("x=1e5\n  y=-3", {"x": 1e5, "y": -3}),
        ('f="=, " g="1"', {"f": "=, ", "g": "1"}),
        ("hidden=[64, 64] x=null, y=[[1, 2], null]", {"hidden": [64, 64], "x": None, "y": [[1, 2], None]}),
        ("lr=1e-3x n=[1", {"lr": "1e-3x", "n": "[1"}),
    ],
)  # fmt: skip
def test_assignments_become_what_json_would(text, params):
    found = read_assignments(text).params
    assert found == params
    assert [type(value) for value in found.values()] == [type(value) for value in params.values()]


@pytest.mark.parametrize("text", ["", "x", "x=", "x=1 and y=2", "x=1 y", "let x=1", " , "])
def test_what_is_no_list_of_assignments_is_no_configuration(text):
    assert read_assignments(text).params is None


def test_a_name_twice_is_no_configuration():
    assert read_assignments("x=1 x=2").params is None
    assert read_assignments("x=1 x=2").note == "x is given twice"


def test_answers_are_charged_like_a_models():
    played, questions, _ = play(['{"x": 0.5, "units": 2}', "x=7", "what?", "x=0.25 units=1", "x=0.25 units=1"])
    assert [[violation["fault"] for violation in row["violations"]] for row in played] == [
        [], ["out_of_range", "missing"], ["unparseable"], [], [],
    ]  # fmt: skip
    assert [row["note"] for row in played] == [None, "name=value", None, "name=value", "name=value"]
    assert [row["duplicate_of"] for row in played] == [None, None, None, None, 3]
    assert [row["calls"] for row in played] == [[0], [1], [2], [3], [4]]
    assert questions[0] == "Trial 1: which configuration?"
    assert questions[2].splitlines() == [
        "Trial 2: Your proposal was invalid: x = 7 is out of range; units is missing. It was not evaluated.",
        "Trials so far, the best marked with *:",
        '*   1       -0.27  {"units": 2, "x": 0.5}',
        '    2     invalid  {"x": 7}',
        "Trial 3: which configuration?",
    ]
    assert questions[4].splitlines()[2:6] == [
        '    1       -0.27  {"units": 2, "x": 0.5}',
        '    2     invalid  {"x": 7}',
        "    3     invalid  (no configuration)",
        '*   4       -0.01  {"units": 1, "x": 0.25}',
    ]


def test_the_table_is_short_and_keeps_the_best():
    answers = ["x=0.25 units=1", *(f"x=0.5 units={units}" for units in range(2, 8))]
    _, questions, _ = play(answers, rows=2)
    assert [line.split()[0] for line in questions[-1].splitlines()[2:-1]] == ["*", "5", "6"]


def test_a_failed_evaluation_says_so():
    _, questions, _ = play(["x=0.9 units=1", "x=0.1 units=1"], Line(fail_above=0.6))
    assert questions[1].startswith("Trial 1: The evaluation failed: RuntimeError: the training diverged")
    assert "    1      failed  " in questions[1]


def test_the_person_is_shown_what_a_model_is_shown():
    _, _, requests = play(["x=1"])
    task = requests[0].messages[0].content
    assert '- "x": a number from 0.0 to 1.0' in task
    assert "The goal is to maximize score." in task
    assert "There are 1 trials" in task
    assert "0.5" not in task, "the default"
    assert "Reason" not in play(["x=1"], prompt=Prompt(reasoning=True))[2][0].messages[0].content


def test_rows_of_the_table_are_checked():
    with pytest.raises(SettingError, match=r"optimizer\.rows is 0"):
        play(["x=1"], rows=0)


def test_a_run_through_a_pipe_stops_continues_and_replays(tmp_path):
    first = typed(GOOD + BAD, tmp_path)
    assert first.returncode == 130, first.stderr
    assert first.stdout == ""
    assert "Trial 2: Your proposal was invalid" not in first.stderr.split("Trial 2: which configuration?")[0]
    assert "Trial 2: Your proposal was invalid: x1 = 30 is out of range. It was not evaluated." in first.stderr
    assert first.stderr.rstrip().endswith("the same command continues where this one stopped.")
    assert run_json(tmp_path)["status"] == "running"

    unanswered = typed("", tmp_path)
    assert unanswered.returncode == 2
    assert unanswered.stderr.splitlines()[-1].endswith("or pipe the answers in, one per line.")
    assert len(rows(tmp_path)) == 2

    second = typed("x1=3 x2=2.5 surface=rough bumps=2 amplitude=0.01\n", tmp_path)
    assert second.returncode == 0, second.stderr
    assert second.stderr.count("which configuration?") == 1
    assert run_json(tmp_path)["status"] == "complete"
    done = rows(tmp_path)
    assert [len(row["violations"]) for row in done] == [0, 1, 0]
    assert done[1]["proposed"] == {"x1": 30, "x2": 2.5, "surface": "smooth"}
    assert all(row["usage"]["completion_tokens"] == 0 for row in done)

    assert replay_all(tmp_path / "runs") == (0, 0)


def test_a_parallel_sweep_has_no_terminal(tmp_path):
    done = typed(GOOD, tmp_path, "-m", "seed=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert done.returncode == 2
    assert "No answer can be read" in done.stderr
    assert "which configuration?" not in done.stderr


class Terminal:
    """The command at the far end of a pseudo-terminal."""

    def __init__(self, folder):
        self._near, far = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, *COMMAND, *HUMAN], cwd=folder, stdin=far, stdout=far, stderr=far, start_new_session=True
        )
        os.close(far)
        self.seen = ""

    def type(self, text):
        os.write(self._near, text.encode())

    def wait_for(self, text):
        """All output up to and including the text."""
        deadline = time.monotonic() + 60
        while text not in self.seen and time.monotonic() < deadline:
            if select.select([self._near], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self._near, 65536).decode()
                except OSError:  # on Linux the far end is closed
                    break
        assert text in self.seen, self.seen
        before, _, self.seen = self.seen.partition(text)
        return before

    def close(self):
        try:
            return self.process.wait(timeout=60)
        finally:
            os.close(self._near)


def test_a_run_at_a_terminal(tmp_path):
    terminal = Terminal(tmp_path)
    assert '- "x1" (first coordinate): a number from -5.0 to 10.0' in terminal.wait_for("Trial 1: which configuration?")
    terminal.type("x1=three\n")
    assert 'x1 = "three" has the wrong type' in terminal.wait_for("Trial 2: which configuration?")
    terminal.type(GOOD)
    terminal.wait_for("Trial 3: which configuration?")
    terminal.type("\x04")  # Ctrl-D
    terminal.wait_for("the same command continues")
    assert terminal.close() == 130

    terminal = Terminal(tmp_path)
    told = terminal.wait_for("Trial 3: which configuration?")
    assert "*   2" in told
    assert "    1     invalid" in told
    terminal.type('{"x1": 9.4, "x2": 2.5, "surface": "smooth"}\n')
    assert terminal.close() == 0
    assert [row["executed"] and row["executed"]["x1"] for row in rows(tmp_path)] == [None, 3.0, 9.4]
