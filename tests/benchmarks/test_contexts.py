"""What prompts may be told of HPOBench's data is written down: nothing but facts, and those of the data themselves."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.hpobench.hpobench import DATA_SETS, MEASURES, MODEL, HPOBench
from benchmarks.hpobench.write_contexts import context_file, contexts_text
from benchmarks.openml.task_contexts import FOLDER, written_contexts
from harness.errors import SettingError
from tests.support.shared_data import needs_data, openml_folder


def test_there_is_a_file_for_each_task_and_no_other():
    assert sorted(FOLDER.iterdir()) == sorted(map(context_file, DATA_SETS))


@pytest.mark.parametrize("task", DATA_SETS)
def test_each_level_holds_the_ones_before_it_and_the_first_names_nothing(task):
    data, problem = DATA_SETS[task], HPOBench(task).problem
    assert list(problem.contexts) == ["statistics", "names", "full"]
    statistics, names, full = problem.contexts.values()
    assert statistics.startswith(f"{MODEL}\nTraining rows: ")
    assert problem.description.text.startswith(f"{MODEL} ")
    assert names.startswith(f"{statistics}\nData set: {data.name}.\n")
    assert full.startswith(f"{names}\nMeta-features: ")
    assert data.name not in statistics.removeprefix(MODEL)
    assert "Features: " + str(data.features) in statistics
    assert f"Classes: {data.classes}," in statistics
    assert f"NumberOfInstances {data.rows}," in full
    assert int(re.search(r"Training rows: (\d+)", statistics)[1]) == pytest.approx(0.9 * data.rows, abs=1)


@pytest.mark.parametrize("task", DATA_SETS)
def test_there_are_no_scores_in_them(task):
    full = HPOBench(task).problem.contexts["full"].lower()
    assert not [word for word in (*MEASURES, "accuracy", "optimum", "learning_rate_init", "rebuilt") if word in full]


def test_what_nobody_wrote_down_is_empty():
    assert written_contexts("hpobench.nowhere", MODEL) == {}


@needs_data
@pytest.mark.parametrize("task", DATA_SETS)
def test_the_files_say_what_the_data_say(task):
    assert context_file(task).read_text(encoding="utf-8") == contexts_text(task, str(openml_folder()))
    assert json.loads(context_file(task).read_text(encoding="utf-8"))["openml_task"] == DATA_SETS[task].openml_task


@needs_data
def test_other_data_are_refused(monkeypatch):
    monkeypatch.setitem(DATA_SETS, "car", DATA_SETS["car"]._replace(rows=1729))
    with pytest.raises(SettingError, match=r"OpenML task 146821 has .*\(1728, 6, 4\), but HPOBench's car has"):
        contexts_text("car", str(openml_folder()))
