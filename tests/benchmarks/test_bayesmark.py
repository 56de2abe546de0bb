from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks.bayesmark.bayesmark import MODELS, Bayesmark
from benchmarks.bayesmark.bayesmark_models import CLASSIFICATION, REGRESSION, Range, natural_scale, unwarped
from benchmarks.bayesmark.bayesmark_trainer import LOADERS, Trainer
from harness.errors import SettingError

pytestmark = pytest.mark.filterwarnings("ignore")  # as in a training process: what did not converge is data

GOLDEN = json.loads((Path(__file__).parent / "golden" / "bayesmark.json").read_text())
SECONDS = ("train_seconds", "evaluation_seconds")
SLOW = ({"n_neighbors": 1, "p": 1}, {"n_neighbors": 25, "p": 4})
ROWS = [
    row
    for row in GOLDEN["rows"]
    if row["task"] != "digits" or (row["model"] == "kNN" and row["params"] not in SLOW)
    or (row["model"] == "SVM" and row["params"]["C"] == 1)
]  # fmt: skip
"""All but seven of digits, which take half a minute; they were compared once (all of them were equal)."""

LOGIT = {
    (values.lower, values.upper): values
    for models in (CLASSIFICATION, REGRESSION)
    for ranges in models.values()
    for values in ranges.values()
    if isinstance(values, Range) and values.scale == "logit"
}


def trained(task, model, params, seed=0):
    with threadpool_limits(1):
        return Trainer(task, model).train(params, {}, seed)


def natural_default(task, model):
    return Bayesmark(task, model, cache="none").problem.default


def leeway(row, measure):
    """Two rows' share of an accuracy of a linear classifier; else none."""
    if row["model"] != "linear" or not measure.endswith("accuracy"):
        return 0.0
    trainer = Trainer(row["task"], row["model"])
    return 2 / len(trainer._y_test if measure.startswith("test_") else trainer._y)


@pytest.mark.parametrize("task", LOADERS)
def test_scores_are_bayesmarks_own(task):
    """Bayesmark's losses, so accuracy negated; equal to the last bits.

    A linear classifier of unscaled columns stops before it has converged: on which side a row near the line falls
    depends on how a CPU sums (one row of breast does on an AMD EPYC with AVX-512). Two rows may.
    """
    rows = [row for row in ROWS if row["task"] == task]
    assert {row["model"] for row in rows} >= {"kNN", "SVM"}
    for row in rows:
        measures = trained(task, row["model"], row["params"])
        ours = {name: -measures[name] if name.endswith("accuracy") else measures[name] for name in row["losses"]}
        for name, loss in row["losses"].items():
            assert ours[name] == pytest.approx(loss, rel=1e-12, abs=leeway(row, name)), row


@pytest.mark.slow
def test_an_evaluation_is_such_a_score_with_the_test_score_beside_it():
    row = next(row for row in GOLDEN["rows"] if (row["task"], row["model"]) == ("diabetes", "linear"))
    benchmark = Bayesmark("diabetes", "linear", objectives=["mae", "train_seconds"], cache="none")
    outcome = benchmark.evaluate(row["params"], None, 5)
    assert outcome.losses["mae"] == pytest.approx(row["losses"]["mae"], rel=1e-12)
    assert 0 < outcome.losses["train_seconds"] < outcome.evaluation_seconds
    assert set(outcome.metrics) == {"mse", "test_mse", "test_mae"}
    assert outcome.metrics["test_mae"] == pytest.approx(row["losses"]["test_mae"], rel=1e-12)


@pytest.mark.parametrize("task", ["iris", "diabetes"])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_trains(task, model):
    """At its default, but for networks, which would take seconds."""
    params = natural_default(task, model)
    measures = trained(task, model, {**params, "tol": 0.1} if model.startswith("MLP") else params)
    assert all(math.isfinite(value) for value in measures.values())
    if task == "iris":
        assert 0 < measures["accuracy"] <= 1
        assert set(measures) == {"accuracy", "nll", "test_accuracy", "test_nll", *SECONDS}
    else:
        assert set(measures) == {"mse", "mae", "test_mse", "test_mae", *SECONDS}
        assert measures["mae"] ** 2 <= measures["mse"]


def test_the_seed_is_that_of_random_models_and_of_no_split():
    def nll(model, seed):
        params = natural_default("wine", model)
        return trained("wine", model, params, seed)["nll"]

    assert nll("RF", 1) == nll("RF", 1) != nll("RF", 2)
    assert nll("kNN", 1) == nll("kNN", 2)


def test_a_fifth_of_the_rows_is_held_out():
    trainer = Trainer("breast", "kNN")
    assert (len(trainer._x), len(trainer._x_test)) == (455, 114)
    rows = {row.tobytes() for row in trainer._x}
    assert not any(row.tobytes() in rows for row in trainer._x_test)


@pytest.mark.parametrize("values", LOGIT.values(), ids=str)
def test_a_logit_range_is_searched_on_the_nearer_scale(values):
    place = np.linspace(values.lower, values.upper, 5001)[1:-1]

    def gap(scale):
        low, high = scale(values.lower), scale(values.upper)
        wanted = (np.log(place / (1 - place)) - _logit(values.lower)) / (_logit(values.upper) - _logit(values.lower))
        return np.abs((scale(place) - low) / (high - low) - wanted).max()

    assert natural_scale(values) == ("linear" if gap(np.asarray) < gap(np.log) else "log")


def _logit(share):
    return math.log(share / (1 - share))


def test_a_warped_space_draws_as_bayesmark_does_and_scores_the_same():
    natural, warped = (Bayesmark("iris", "DT", space=space, cache="none") for space in ("natural", "warped"))
    space = warped.problem.space
    assert set(space) - set(natural.problem.space) == {
        "logit_min_samples_split",
        "logit_min_samples_leaf",
        "logit_min_weight_fraction_leaf",
        "logit_max_features",
    }
    space.seed(0)
    shares = [unwarped(dict(sample))["max_features"] for sample in space.sample_configuration(1000)]
    assert 0.01 <= min(shares) < max(shares) <= 0.99
    below = np.mean([share < 0.1 for share in shares])
    expected = (_logit(0.1) - _logit(0.01)) / (_logit(0.99) - _logit(0.01))
    assert below == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 1000))
    assert unwarped(warped.problem.default) == pytest.approx(natural.problem.default, rel=1e-9)


def test_settings_that_are_none():
    with pytest.raises(SettingError, match="Unknown bayesmark task 'boston'"):
        Bayesmark("boston")
    with pytest.raises(SettingError, match="Unknown bayesmark model 'lasoo'; did you mean 'lasso'"):
        Bayesmark(model="lasoo")
    with pytest.raises(SettingError, match=r"Unknown objective of bayesmark\.iris 'mse'"):
        Bayesmark("iris", objectives=["mse"])
    with pytest.raises(SettingError, match="did you mean 'warped'"):
        Bayesmark(space="warp")
