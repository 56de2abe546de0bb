from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.openml.openml import OpenML
from benchmarks.openml.openml_task import load_task
from benchmarks.openml.openml_trainer import Trainer
from benchmarks.openml.tabular_models import MODELS, Recipe, models_for
from benchmarks.training.holdout import a_third_off, fit_and_predict, preprocessing, subsample
from harness.budget import Budget
from harness.errors import SettingError
from harness.loop import run_loop
from harness.repair import NoRepair
from tests.support.fakes import Scripted
from tests.support.openml_files import diabetes, write_task
from tests.support.shared_data import needs_data, openml_folder

IRIS = 59
SVM = {"C": 10.0, "kernel": "rbf", "gamma": 0.05}


@pytest.fixture(autouse=True)
def one_thread():
    """As in the training process."""
    import sklearn.ensemble  # noqa: F401 (its OpenMP must be there to be limited)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression")
    return diabetes(folder), str(folder)


def trainer(number, folder, model, folds=None):
    return Trainer(number, model, folds, 0, 0, load_task(number, folder).checksum, folder)


def highest(model):
    return {fidelity.name: fidelity.upper for fidelity in MODELS[model].fidelities}


def some_configurations(problem, count):
    from harness.validity import Checker

    space = problem.space
    space.seed(1)
    sampled = [Checker(space).check(dict(sample))[0] for sample in space.sample_configuration(count)]
    return [problem.default, *sampled]


@needs_data
@pytest.mark.parametrize("model", models_for("classification"))
@pytest.mark.filterwarnings("ignore")
def test_every_classifier_trains_at_the_lowest_fidelity(model):
    folder = str(openml_folder())
    problem = OpenML(29, model, folder=folder, cache="none").problem  # categories and missing values
    lowest = {fidelity.name: fidelity.lower for fidelity in problem.fidelities}
    train = trainer(29, folder, model).train
    for params in some_configurations(problem, 3):
        measured = train(params, lowest, 0)
        assert 0 <= measured["balanced_accuracy"] <= 1
        assert {"test_balanced_accuracy", "test_accuracy", "test_f1_macro", "train_seconds"} <= set(measured)
        assert ("log_loss" in measured) == MODELS[model].probabilities
        assert measured["model_bytes"] > 1000


@pytest.mark.parametrize("model", models_for("regression"))
@pytest.mark.filterwarnings("ignore")
def test_every_regressor_learns_something(model, regression):
    number, folder = regression
    problem = OpenML(number, model, folder=folder, cache="none").problem
    assert problem.objectives[0].name == "root_mean_squared_error"
    measured = trainer(number, folder, model).train(problem.default, highest(model), 0)
    assert 40 < measured["root_mean_squared_error"] < 75, "the target's deviation is 77"
    assert measured["mean_squared_error"] == pytest.approx(measured["root_mean_squared_error"] ** 2)
    assert 0 < measured["test_r2"] < 1


@needs_data
def test_the_scores_are_those_of_scikit_learn_by_hand():
    """Validation: a third of the training part; test: the official fold, after a fit on the whole training part."""
    from sklearn.compose import make_column_transformer
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.svm import SVC

    folder = str(openml_folder())
    task = load_task(31, folder)
    categories = np.array(task.categorical)
    names = task.features.columns
    encode = make_column_transformer(
        (StandardScaler(), names[~categories]), (OneHotEncoder(handle_unknown="ignore"), names[categories])
    )
    pipeline = make_pipeline(encode, SVC(C=10.0, gamma=0.05))
    rows, labels = task.features.iloc[task.train], task.values[task.train]
    kept, held, kept_labels, held_labels = train_test_split(
        rows, labels, test_size=0.33, stratify=labels, random_state=1
    )
    measured = trainer(31, folder, "svm").train(SVM, highest("svm"), 0)
    by_hand = balanced_accuracy_score(held_labels, pipeline.fit(kept, kept_labels).predict(held))
    assert measured["balanced_accuracy"] == pytest.approx(by_hand)
    told = pipeline.fit(rows, labels).predict(task.features.iloc[task.test])
    assert measured["test_balanced_accuracy"] == pytest.approx(balanced_accuracy_score(task.values[task.test], told))


@needs_data
def test_cross_validation_is_the_mean_over_its_folds():
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    folder = str(openml_folder())
    task = load_task(IRIS, folder)
    rows, labels = task.features.iloc[task.train], task.values[task.train]
    pipeline = Recipe("svm", SVM, {"subsample": 1.0}, 0, False).pipeline(rows, task.categorical, len(rows))
    folds = StratifiedKFold(4, shuffle=True, random_state=1)
    scores = cross_val_score(pipeline, rows, labels, cv=folds, scoring="balanced_accuracy")
    measured = trainer(IRIS, folder, "svm", folds=4).train(SVM, highest("svm"), 0)
    assert measured["balanced_accuracy"] == pytest.approx(scores.mean())


@needs_data
def test_the_fidelity_is_what_the_model_is_trained_with():
    folder = str(openml_folder())
    task = load_task(53, folder)
    part = {"subsample": 0.25, "trees": 12}
    params = OpenML(53, "random_forest", folder=folder, cache="none").problem.default
    made = trainer(53, folder, "random_forest")
    forest = made._fit(Recipe("random_forest", params, part, 5, False), task.train, task.test).pipeline[-1]
    assert (len(forest.estimators_), forest.random_state) == (12, 5)
    assert forest.estimators_[0].tree_.weighted_n_node_samples[0] == pytest.approx(0.25 * len(task.train), abs=2)
    cheap, whole = made.train(params, part, 5), made.train(params, highest("random_forest"), 5)
    assert cheap["model_bytes"] < whole["model_bytes"] / 5


def test_a_subsample_is_nested_stratified_and_holds_every_class():
    values = np.array([0] * 80 + [1] * 19 + [2])
    rows = np.random.default_rng(0).permutation(100)
    small, large = (subsample(rows, values, share, 7, True) for share in (0.1, 0.5))
    assert set(small) < set(large) < set(rows)
    assert np.bincount(values[small]).tolist() == [8, 2, 1]
    assert np.bincount(values[large]).tolist() == [40, 10, 1]
    assert subsample(rows, values, 1.0, 7, True) is rows
    assert set(subsample(rows, values, 0.1, 8, True)) != set(small)
    assert len(subsample(rows, values.astype(float), 0.1, 7, False)) == 10


def test_a_class_with_a_single_row_does_not_stop_the_split():
    rows = np.arange(30)
    kept, held = a_third_off(rows, np.array([0] * 20 + [1] * 9 + [2]), True)
    assert sorted([*kept, *held]) == rows.tolist()
    assert len(held) == 10


def test_nothing_is_fitted_on_held_out_rows_and_unseen_categories_pass():
    import pandas
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeClassifier

    features = pandas.DataFrame(
        {
            "number": [1.0, np.nan, 3.0, 100.0, np.nan],
            "colour": pandas.Categorical(["red", "blue", None, "green", None]),
            "words": ["a", "b", "c", "d", "e"],
        }
    )
    pipeline = make_pipeline(preprocessing(features, (False, True, False), True), DecisionTreeClassifier())
    values = np.array([2, 0, 2, 0, 1])
    fitted = fit_and_predict(pipeline, features, values, np.array([0, 1, 2]), [np.array([3, 4])], classes=3)
    steps = fitted.pipeline[0].named_transformers_
    assert steps["numbers"][0].statistics_.tolist() == [2.0]
    assert [str(known) for known in steps["categories"].categories_[0]] == ["blue", "red", "nan"]
    assert fitted.probabilities[0].shape == (2, 3)
    assert set(fitted.predictions[0]) <= {0, 2}, "class 1 was not there to be learnt"
    assert (fitted.probabilities[0][:, 1] == 0).all()


@pytest.mark.filterwarnings("ignore")
def test_a_class_that_training_never_sees(tmp_path):
    """XGBoost takes no gaps in the class codes; every model gets them without."""
    rows = [(i, "a" if i == 0 else "bc"[i % 2]) for i in range(40)]
    number = write_task(tmp_path, {"x": "NUMERIC", "y": ["a", "b", "c"]}, rows, type_id=1)
    for model in ("xgboost", "logistic_regression"):
        default = OpenML(number, model, folder=str(tmp_path), cache="none").problem.default
        assert 0 <= trainer(number, str(tmp_path), model).train(default, highest(model), 0)["accuracy"] <= 1


@needs_data
def test_what_prompts_can_be_told():
    problem = OpenML(53, "svm", folder=str(openml_folder()), cache="none").problem
    assert problem.description.text == (
        "A support vector machine is tuned for classification. "
        "The data set is vehicle (OpenML task 53): 846 rows, 18 features, 4 classes."
    )
    told = problem.contexts
    assert list(told) == ["statistics", "names", "full"]
    assert told["full"].startswith(told["names"])
    assert told["names"].startswith(told["statistics"])
    assert "Training rows: 761." in told["statistics"]
    assert not any(word in told["statistics"] for word in ("vehicle", "COMPACTNESS", "opel"))
    assert "Classes: opel, saab, bus, van." in told["names"]
    assert "COMPACTNESS (number)" in told["names"]
    assert "NumberOfInstances 846" in told["full"]
    assert all(len(text) < 12000 for text in told.values())


@needs_data
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "credit-g"}, "give the OpenML task id, for example 31"),
        ({"task": 0}, "not a positive number"),
        ({"task": True}, "not a positive number"),
        ({"model": "smv"}, "did you mean 'svm'"),
        ({"model": "linear"}, "Unknown model of a classification task 'linear'"),
        ({"validation": "train"}, "Valid: cv, holdout"),
        ({"validation": "cv", "folds": 1}, "folds is 1; give a whole number from 2 to 45"),
        ({"objectives": ["log_loss"]}, "Unknown objective of a classification task with svm 'log_loss'"),
        ({"objectives": ["accuracy", "accuracy"]}, "name each objective once"),
        ({"fold": 10}, "fold is 10"),
        ({"limit_seconds": 0}, "limit_seconds is 0"),
    ],
)
def test_a_setting_that_is_none(settings, message):
    with pytest.raises(SettingError, match=message) as error:
        OpenML(**{"task": IRIS, "folder": str(openml_folder()), "cache": "none", **settings})
    assert "\n" not in str(error.value)


def test_a_classifier_for_a_regression_task(regression):
    with pytest.raises(SettingError, match="Unknown model of a regression task 'logistic_regression'"):
        OpenML(regression[0], "logistic_regression", folder=regression[1], cache="none")


@needs_data
def test_other_data_are_refused():
    with pytest.raises(ValueError, match="changed"):
        Trainer(IRIS, "svm", None, 0, 0, "another", str(openml_folder()))


SCRIPT = """
import json, sys
from tests.benchmarks.test_openml import SVM, highest, trainer

for task in (31, 53):
    measured = trainer(task, sys.argv[1], "svm").train(SVM, highest("svm"), 3)
    print(json.dumps({name: value for name, value in measured.items() if not name.endswith("seconds")}))
"""


@needs_data
def test_two_processes_score_the_same(tmp_path):
    """The SVM on task 31 and on one of four classes; nothing is cached."""
    command = [sys.executable, "-c", SCRIPT, str(openml_folder())]
    jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = ([json.loads(line) for line in job.communicate()[0].splitlines()] for job in jobs)
    assert [job.returncode for job in jobs] == [0, 0]
    assert first == second
    assert [0.6 < measured["balanced_accuracy"] < 0.9 for measured in first] == [True, True]


@pytest.mark.slow
@needs_data
def test_a_run_goes_on_after_an_evaluation_out_of_time(tmp_path):
    """The second configuration is known to the cache, so no limit stops it."""
    settings = {"folder": str(openml_folder()), "cache": str(tmp_path / "kept.sqlite")}
    settings["objectives"] = ["balanced_accuracy", "model_bytes"]
    known = OpenML(IRIS, **settings).evaluate(SVM, None, 0)
    benchmark = OpenML(IRIS, limit_seconds=0.01, **settings)
    assert (
        known.losses["balanced_accuracy"]
        == -trainer(IRIS, settings["folder"], "svm").train(SVM, highest("svm"), 0)["balanced_accuracy"]
    )
    rows = []
    optimizer = Scripted([{**SVM, "C": 1.0}, SVM])
    run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), Budget(proposals=2), 0, rows.append)
    assert rows[0]["error"].endswith("Out of time: stopped after 0.01 s.")
    assert rows[0]["losses"] is None
    assert rows[0]["evaluation_seconds"] > 0
    assert rows[1]["error"] is None
    assert rows[1]["losses"] == known.losses
    assert rows[1]["losses"]["balanced_accuracy"] < -0.9
    assert rows[1]["losses"]["model_bytes"] > 1000
    assert rows[1]["metrics"]["test_balanced_accuracy"] > 0.8
