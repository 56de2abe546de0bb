from __future__ import annotations

import pytest

from benchmarks.toy import Toy
from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.start import DefaultStart, GivenStart, NoStart, begin_with
from tests.support.command import hyperbole, rows, run_json, sentence
from tests.support.fakes import Line, Scripted


def play(start, proposals):
    benchmark = Line()
    optimizer = Scripted(proposals)
    begun = begin_with(start, benchmark.problem, optimizer)
    rows = []
    trials = len(proposals) + len(start.configurations(benchmark.problem))
    run_loop(benchmark, begun, NoRepair(benchmark.problem, 0), Budget(proposals=trials), 0, rows.append)
    return rows, optimizer


def test_the_default_comes_first_and_the_optimizer_is_told():
    rows, optimizer = play(DefaultStart(), [{"x": 0.1, "units": 1}])
    assert [row["proposed"] for row in rows] == [{"x": 0.5, "units": 4}, {"x": 0.1, "units": 1}]
    assert [row["note"] for row in rows] == ["start: default", None]
    assert [trial.params for trial in optimizer.told] == [{"x": 0.5, "units": 4}, {"x": 0.1, "units": 1}]


def test_without_a_start_the_optimizer_is_itself():
    optimizer = Scripted([])
    assert begin_with(NoStart(), Line().problem, optimizer) is optimizer


def test_a_given_start_is_tried_in_order():
    rows, _ = play(GivenStart([{"x": 0.0, "units": 1}, {"x": 1.0, "units": 8}]), [{"x": 0.1, "units": 1}])
    assert [row["proposed"]["x"] for row in rows] == [0.0, 1.0, 0.1]
    assert rows[1]["note"] == "start: given"


def test_a_start_that_is_no_configuration_is_refused():
    with pytest.raises(SettingError, match=r"not a configuration of fake.line: x = 3.0 is out of range"):
        begin_with(GivenStart([{"x": 3.0, "units": 1}]), Line().problem, Scripted([]))
    with pytest.raises(SettingError, match=r"start.configurations is empty"):
        GivenStart([])


def test_the_prepare_of_the_optimizer_is_reached():
    class Preparing(Scripted):
        prepared = False

        def prepare(self):
            self.prepared = True

    optimizer = Preparing([])
    begin_with(DefaultStart(), Line().problem, optimizer).prepare()
    assert optimizer.prepared
    begin_with(DefaultStart(), Line().problem, Scripted([])).prepare()


def test_a_start_names_the_method(tmp_path):
    done = hyperbole("start=default", "benchmark=toy", "budget.proposals=2", cwd=tmp_path)
    assert done.returncode == 0
    folder = tmp_path / "runs/adhoc/toy.branin/random_search+start=default/0"
    assert [row["note"] for row in rows(folder)] == ["start: default", None]
    assert rows(folder)[0]["proposed"] == Toy().problem.default
    assert run_json(folder)["config"]["start"] == {"_target_": "harness.start.DefaultStart"}


def test_a_misspelt_start_is_one_sentence(tmp_path):
    assert "default" in sentence(hyperbole("start=defualt", cwd=tmp_path))
