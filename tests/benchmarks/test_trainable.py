"""Data that no model can be trained on are refused at the start; what looks like them and is none trains."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.fairness.fairness import Fairness
from benchmarks.hpobench.hpobench_live import HPOBenchLive
from benchmarks.hpobench.hpobench_trainer import Trainer as HPOBenchTrainer
from benchmarks.openml import trainable
from benchmarks.openml.openml import OpenML
from benchmarks.openml.openml_task import load_task
from benchmarks.openml.openml_trainer import Trainer
from benchmarks.openml.tabular_models import MODELS, models_for
from benchmarks.tabulate.tabulate import tabulate
from benchmarks.training.holdout import a_third_off
from harness.errors import HyperboleError, SettingError
from tests.support.command import hyperbole, sentence
from tests.support.openml_files import write_task
from tests.support.shared_data import FOLDER, needs_data

AB = ["a", "b"]
FAMILIES = {"openml": OpenML, "hpobench_live": HPOBenchLive}


def labels(count, of="ab"):
    return [of[i % len(of)] for i in range(count)]


# name -> (columns, rows, type of the task, what the sentence says)
REFUSED = {
    "one class": ({"x": "NUMERIC", "y": AB}, [(i, "a") for i in range(20)], 1, "have the same class, 'a'"),
    "one class declared": ({"x": "NUMERIC", "y": ["a"]}, [(i, "a") for i in range(20)], 1, "have the same class, 'a'"),
    "the other class in the test fold only": (
        {"x": "NUMERIC", "y": AB},
        [(i, "b" if i == 0 else "a") for i in range(20)],
        1,
        "have the same class, 'a'",
    ),
    "no class at all": ({"x": "NUMERIC", "y": AB}, [(i, None) for i in range(20)], 1, "no row of the training part"),
    "no target in the test fold": (
        {"x": "NUMERIC", "y": AB},
        [(i, None if i % 4 == 0 else "ab"[i % 2]) for i in range(20)],
        1,
        "no row of the test part",
    ),
    "a class a row": ({"x": "NUMERIC", "y": "NUMERIC"}, [(i, i / 7) for i in range(20)], 1, "no class .* two rows"),
    "text": (
        {"t": "STRING", "y": AB},
        [(f"a {i}", c) for i, c in enumerate(labels(20))],
        1,
        r"text or dates only \(1 of",
    ),
    "dates and text": (
        {"d": "DATE", "t": "STRING", "y": AB},
        [(f"2001-01-01 00:{i:02}", "x", c) for i, c in enumerate(labels(20))],
        1,
        r"text or dates only \(2 of 2\)",
    ),
    "no features": ({"y": AB}, [(c,) for c in labels(20)], 1, "it has no features"),
    "constant": ({"x": "NUMERIC", "k": AB, "y": AB}, [(7, "b", c) for c in labels(20)], 1, "none of its 2 .* varies"),
    "missing": (
        {"x": "NUMERIC", "k": AB, "y": AB},
        [(None, None, c) for c in labels(20)],
        1,
        "none of its 2 .* varies",
    ),
    "infinite": ({"x": "NUMERIC", "y": AB}, [("inf", c) for c in labels(20)], 1, "'x' holds inf"),
    "beyond 32 bits": (
        {"x": "NUMERIC", "y": AB},
        [(i * 1e38, c) for i, c in enumerate(labels(20))],
        1,
        "'x' holds 1.9e",
    ),
    "a constant target": (
        {"x": "NUMERIC", "y": "NUMERIC"},
        [(i, 3.5) for i in range(20)],
        2,
        "constant in the training",
    ),
    "an infinite target": (
        {"x": "NUMERIC", "y": "NUMERIC"},
        [(i, "inf" if i == 3 else i) for i in range(20)],
        2,
        "'y' holds infinite values",
    ),
    "a number to regress on": (
        {"x": "NUMERIC", "y": "NUMERIC"},
        [(i, None) for i in range(20)],
        2,
        "has a value of the",
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("case", REFUSED)
def test_what_no_model_can_be_trained_on_is_refused_at_the_start(tmp_path, case, family):
    columns, rows, type_id, message = REFUSED[case]
    if type_id == 2 and family == "hpobench_live":
        message = "classifiers"
    number = write_task(tmp_path, columns, rows, type_id=type_id)
    inner = {"validation": "cv"} if family == "openml" and "no " in case else {}
    with pytest.raises(SettingError, match=message) as error:
        FAMILIES[family](number, "svm", folder=str(tmp_path), cache="none", **inner)
    assert "\n" not in str(error.value)
    assert "choose" in str(error.value)


def test_as_a_command_it_is_one_sentence(tmp_path):
    columns, rows, type_id, _ = REFUSED["text"]
    number = write_task(tmp_path / "cache", columns, rows, type_id=type_id)
    done = hyperbole(
        "benchmark=openml", f"benchmark.task={number}", f"benchmark.folder={tmp_path / 'cache'}", cwd=tmp_path
    )
    assert "its features are text or dates only (1 of 1); choose another task." in sentence(done)
    assert not list(tmp_path.rglob("trials.jsonl"))


def test_a_table_is_refused_before_its_first_evaluation(tmp_path):
    columns, rows, type_id, message = REFUSED["one class"]
    number = write_task(tmp_path / "cache", columns, rows, type_id=type_id)
    settings = [f"benchmark.task={number}", f"benchmark.folder={tmp_path / 'cache'}", f"output={tmp_path / 'tables'}"]
    with pytest.raises(HyperboleError, match=message):
        tabulate(["benchmark=openml", "benchmark.levels=2", *settings])
    assert not (tmp_path / "tables").exists()


def test_a_class_that_only_validation_rows_have(tmp_path):
    """Of nineteen rows one is of class b: the third that validates takes it, or the fold does."""
    for seed in range(3):
        folder = tmp_path / str(seed)
        rows = [(i, "b" if i == 5 + 4 * seed else "a") for i in range(24)]
        number = write_task(folder, {"x": "NUMERIC", "y": AB}, rows, type_id=1)
        task = load_task(number, str(folder))
        kept, _ = a_third_off(task.train, task.values, True)
        settings = {"folder": str(folder), "cache": "none"}
        if len(set(task.values[kept])) < 2:
            with pytest.raises(
                SettingError, match="without its validation rows the training part has a single class, 'a'"
            ):
                OpenML(number, "svm", **settings)
        else:
            assert OpenML(number, "svm", **settings).problem.objectives
        with pytest.raises(SettingError, match="without its validation rows"):
            OpenML(number, "svm", validation="cv", folds=3, **settings)
        with pytest.raises(SettingError, match=r"cannot be split \(The least populated class"):
            HPOBenchLive(number, "svm", **settings)


def test_r2_of_a_single_row_is_refused(tmp_path):
    number = write_task(tmp_path, {"x": "NUMERIC", "y": "NUMERIC"}, [(i, i * i) for i in range(8)])
    settings = {"folder": str(tmp_path), "cache": "none", "validation": "cv", "folds": 6}
    with pytest.raises(SettingError, match="r2 is undefined"):
        OpenML(number, "svm", objectives=["r2"], **settings)
    problem = OpenML(number, "svm", **settings).problem
    trained = Trainer(number, "svm", 6, 0, 0, load_task(number, str(tmp_path)).checksum, str(tmp_path))
    measured = trained.train(problem.default, {"subsample": 1.0}, 0)
    assert "r2" not in measured
    assert all(np.isfinite(value) for value in measured.values())


def test_more_columns_than_memory(tmp_path, monkeypatch):
    rows = [(f"c{i}", c) for i, c in enumerate(labels(400))]
    number = write_task(tmp_path, {"k": [f"c{i}" for i in range(400)], "y": AB}, rows, type_id=1)
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 256}  # a machine of 1 MiB; the columns take 8 * 401 * 300 bytes
    monkeypatch.setattr(trainable.os, "sysconf", pages.__getitem__)
    with pytest.raises(SettingError, match="401 columns of numbers and categories for 300 training rows"):
        HPOBenchLive(number, "svm", folder=str(tmp_path), cache="none")
    assert OpenML(number, "svm", folder=str(tmp_path), cache="none").problem, "at most 64 columns a category here"


# What is strange, and can be trained on all the same.
KEPT = {
    "a column of text beside a number": ({"t": "STRING", "x": "NUMERIC"}, [(f"t {i}", i) for i in range(40)]),
    "a column without a value": ({"e": "NUMERIC", "x": "NUMERIC"}, [(None, i) for i in range(40)]),
    "a category without a value": ({"e": AB, "x": "NUMERIC"}, [(None, i) for i in range(40)]),
    "numbers without a value": ({"e": "NUMERIC", "k": AB}, [(None, "ab"[i % 2]) for i in range(40)]),
    "a constant beside a number": ({"e": "NUMERIC", "x": "NUMERIC"}, [(5, i) for i in range(40)]),
    "a category in the test fold only": (
        {"k": ["a", "b", "z"], "x": "NUMERIC"},
        [("z" if i % 4 == 0 else "ab"[i // 2 % 2], i) for i in range(40)],
    ),
    "a category a row": ({"k": [f"k{i}" for i in range(40)]}, [(f"k{i}",) for i in range(40)]),
    "truth values": ({"k": ["TRUE", "FALSE"]}, [(("TRUE", "FALSE")[i // 2 % 2],) for i in range(40)]),
    "odd names": ({"a [b] <c>": "NUMERIC", "it's, {x}": ["ü é", "名"]}, [(i, ("ü é", "名")[i % 2]) for i in range(40)]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", KEPT)
def test_what_is_strange_and_can_be_trained_on(tmp_path, case):
    columns, rows = KEPT[case]
    rows = [(*row, label) for row, label in zip(rows, labels(40, "aab"), strict=True)]
    number = write_task(tmp_path, {**columns, "y": AB}, rows, type_id=1, sparse=True)
    settings = {"folder": str(tmp_path), "cache": "none"}
    checksum = load_task(number, str(tmp_path)).checksum
    for model in ("svm", "xgboost"):
        problem = OpenML(number, model, **settings).problem
        highest = {fidelity.name: fidelity.lower for fidelity in problem.fidelities} | {"subsample": 1.0}
        measured = Trainer(number, model, None, 0, 0, checksum, str(tmp_path)).train(problem.default, highest, 0)
        assert 0 <= measured["balanced_accuracy"] <= 1
    problem = HPOBenchLive(number, "svm", **settings).problem
    trained = HPOBenchTrainer(number, "svm", "none", checksum, str(tmp_path))
    assert 0 <= trained.train(problem.default, {"subsample": 1.0}, 0)["accuracy"] <= 1


def test_text_is_left_out_and_said_so(tmp_path):
    columns, rows = KEPT["a column of text beside a number"]
    rows = [(*row, label) for row, label in zip(rows, labels(40), strict=True)]
    number = write_task(tmp_path, {**columns, "y": AB}, rows, type_id=1)
    problem = OpenML(number, "svm", folder=str(tmp_path), cache="none").problem
    assert "40 rows, 2 features (1 of them text or dates, left out), 2 classes." in problem.description.text
    assert (
        "Features: 2, of which 0 are categorical and 1 are text, which the model is not given."
        in (problem.contexts["statistics"])
    )
    assert "Features: t (text, left out); x (number)." in problem.contexts["names"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", models_for("classification"))
def test_five_classes_of_two_rows(tmp_path, model):
    """Too few validation rows for one of each class: the third is not stratified then, and every model trains."""
    rows = [(i * i % 11, "abcde"[i // 2 % 5]) for i in range(13)]
    number = write_task(tmp_path, {"x": "NUMERIC", "y": list("abcde")}, rows, type_id=1)
    problem = OpenML(number, model, folder=str(tmp_path), cache="none").problem
    trained = Trainer(number, model, None, 0, 0, load_task(number, str(tmp_path)).checksum, str(tmp_path))
    lowest = {fidelity.name: fidelity.lower for fidelity in MODELS[model].fidelities}
    assert 0 <= trained.train(problem.default, lowest, 0)["accuracy"] <= 1


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ({"x": "NUMERIC", "y": AB}, [(i, c) for i, c in enumerate(labels(20))]),
        ({"personal_status": AB, "y": AB}, [(None, c) for c in labels(20)]),
        ({"personal_status": AB, "y": ["a", "b", "c"]}, [("a", c) for c in labels(20, "abc")]),
    ],
)
def test_other_data_under_a_number_of_fairness(tmp_path, columns, rows):
    write_task(tmp_path, columns, rows, task_id=31, type_id=1)
    with pytest.raises(SettingError, match=r"task 31 \(made\) is not the expected credit_g"):
        Fairness("credit_g", folder=str(tmp_path), cache="none")


@needs_data
def test_a_compas_of_one_outcome(tmp_path):
    import pandas

    given = pandas.read_csv(FOLDER / "compas" / "compas-scores-two-years.csv")
    given[given["two_year_recid"] == 0].to_csv(tmp_path / "compas-scores-two-years.csv")
    with pytest.raises(
        SettingError, match=r"The data set COMPAS: all rows of the training part have the same class, 'no'"
    ):
        Fairness("compas", folder=str(tmp_path), cache="none")
