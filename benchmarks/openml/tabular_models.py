"""The models of family openml: estimators, their fidelities, and the pipelines around them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.training.holdout import preprocessing
from harness.problem import Fidelity

if TYPE_CHECKING:
    import pandas

SUBSAMPLE = Fidelity("subsample", 0.1, 1.0)
"""Stratified share of the training rows: the first fidelity of every model."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    Attributes:
        title: Name for prompts.
        classifier: Import path of its classifier, or None.
        regressor: Import path of its regressor, or None.
        fixed: Arguments that are not searched.
        fidelity: Its own fidelity besides the share of rows, or None.
        steps: The estimator's argument for the fidelity.
        scaled: Whether it needs standardized numbers and a standardized regression target.
        probabilities: Whether the classifier predicts probabilities.
    """

    title: str
    classifier: str | None
    regressor: str | None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    fidelity: Fidelity | None = None
    steps: str = ""
    scaled: bool = False
    probabilities: bool = True

    @property
    def fidelities(self) -> tuple[Fidelity, ...]:
        """All fidelities of the model."""
        return (SUBSAMPLE,) if self.fidelity is None else (SUBSAMPLE, self.fidelity)


EPOCHS = Fidelity("epochs", 3, 100, integer=True)
ROUNDS = Fidelity("rounds", 10, 200, integer=True)
TREES = Fidelity("trees", 10, 100, integer=True)

MODELS: dict[str, Model] = {
    "svm": Model(
        title="support vector machine",
        classifier="sklearn.svm:SVC",
        regressor="sklearn.svm:SVR",
        scaled=True,
        probabilities=False,
    ),
    "logistic_regression": Model(
        title="logistic regression trained by stochastic gradient descent",
        classifier="sklearn.linear_model:SGDClassifier",
        regressor=None,
        fixed={"loss": "log_loss", "tol": None},  # tol None: no early stopping
        fidelity=EPOCHS,
        steps="max_iter",
        scaled=True,
    ),
    "linear": Model(
        title="linear regression trained by stochastic gradient descent",
        classifier=None,
        regressor="sklearn.linear_model:SGDRegressor",
        fixed={"tol": None},
        fidelity=EPOCHS,
        steps="max_iter",
        scaled=True,
    ),
    "random_forest": Model(
        title="random forest",
        classifier="sklearn.ensemble:RandomForestClassifier",
        regressor="sklearn.ensemble:RandomForestRegressor",
        fidelity=TREES,
        steps="n_estimators",
    ),
    "gradient_boosting": Model(
        title="gradient boosting model of trees on histograms (scikit-learn)",
        classifier="sklearn.ensemble:HistGradientBoostingClassifier",
        regressor="sklearn.ensemble:HistGradientBoostingRegressor",
        fixed={"early_stopping": False},
        fidelity=ROUNDS,
        steps="max_iter",
    ),
    "mlp": Model(
        title="multi-layer perceptron",
        classifier="sklearn.neural_network:MLPClassifier",
        regressor="sklearn.neural_network:MLPRegressor",
        fixed={"n_iter_no_change": EPOCHS.upper},  # never stops early
        fidelity=EPOCHS,
        steps="max_iter",
        scaled=True,
    ),
    "knn": Model(
        title="nearest-neighbour model",
        classifier="sklearn.neighbors:KNeighborsClassifier",
        regressor="sklearn.neighbors:KNeighborsRegressor",
        scaled=True,
    ),
    "xgboost": Model(
        title="gradient boosting model of trees (XGBoost)",
        classifier="xgboost:XGBClassifier",
        regressor="xgboost:XGBRegressor",
        fixed={"n_jobs": 1},
        fidelity=ROUNDS,
        steps="n_estimators",
    ),
}


def models_for(kind: str) -> tuple[str, ...]:
    """Names of the models for ``classification`` or ``regression``."""
    return tuple(
        name for name, model in MODELS.items() if (model.regressor if kind == "regression" else model.classifier)
    )


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that defines a pipeline except its rows.

    Attributes:
        model: One of ``MODELS``.
        params: A valid configuration.
        fidelity: Value of every fidelity.
        seed: Seed of the estimator.
        regression: Whether the target is a number.
    """

    model: str
    params: Mapping[str, Any]
    fidelity: Mapping[str, float]
    seed: int
    regression: bool

    def pipeline(self, features: pandas.DataFrame, categorical: Sequence[bool], rows: int) -> Any:
        """Unfitted preprocessing and estimator, for a number of training rows."""
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        model = MODELS[self.model]
        whole = make_pipeline(preprocessing(features, categorical, model.scaled), self._estimator(model, rows))
        if self.regression and model.scaled:
            return TransformedTargetRegressor(whole, transformer=StandardScaler())
        return whole

    def _estimator(self, model: Model, rows: int) -> Any:
        module, _, name = str(model.regressor if self.regression else model.classifier).partition(":")
        estimator = getattr(importlib.import_module(module), name)(**model.fixed, **self._arguments(rows))
        if model.fidelity is not None:
            estimator.set_params(**{model.steps: int(self.fidelity[model.fidelity.name])})
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=self.seed)
        return estimator

    def _arguments(self, rows: int) -> dict[str, Any]:
        """The estimator's arguments, limited to the number of rows, which may be small in a subsample."""
        given = dict(self.params)
        if self.model == "mlp":
            given["hidden_layer_sizes"] = (given.pop("width"),) * given.pop("depth")
        for name in ("batch_size", "n_neighbors"):
            if name in given:
                given[name] = min(given[name], rows)
        return given
