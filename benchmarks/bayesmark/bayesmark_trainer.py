"""Trains and scores Bayesmark's models with scikit-learn, in the training process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, make_scorer, mean_absolute_error, mean_squared_error
from sklearn.model_selection import cross_validate, train_test_split
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

Floats = NDArray[np.float64]
LOADERS: dict[str, Callable[..., tuple[Floats, NDArray[Any]]]] = {
    "breast": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
    "digits": datasets.load_digits,
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
}
FOLDS = 5
LEAST_PROBABILITY = 1e-15
"""Where the logarithm is clipped; scikit-learn's value before 1.2 changed it to the machine precision."""

NETWORK = {"early_stopping": True}
SGD = {**NETWORK, "solver": "sgd", "learning_rate": "invscaling", "nesterovs_momentum": True}
LIBLINEAR = {"solver": "liblinear", "fit_intercept": True}
# The arguments that Bayesmark fixes per model; the others are scikit-learn's defaults.
CLASSIFIERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "kNN": (KNeighborsClassifier, {}),
    "SVM": (SVC, {"kernel": "rbf", "probability": True}),
    "DT": (DecisionTreeClassifier, {}),
    "RF": (RandomForestClassifier, {"n_estimators": 10}),
    "MLP-adam": (MLPClassifier, {**NETWORK, "solver": "adam"}),
    "MLP-sgd": (MLPClassifier, SGD),
    "ada": (AdaBoostClassifier, {}),
    "lasso": (LogisticRegression, {**LIBLINEAR, "l1_ratio": 1.0}),
    "linear": (LogisticRegression, {**LIBLINEAR, "l1_ratio": 0.0}),
}
REGRESSORS: dict[str, tuple[Any, dict[str, Any]]] = {
    "kNN": (KNeighborsRegressor, {}),
    "SVM": (SVR, {"kernel": "rbf"}),
    "DT": (DecisionTreeRegressor, {}),
    "RF": (RandomForestRegressor, {"n_estimators": 10}),
    "MLP-adam": (MLPRegressor, {**NETWORK, "solver": "adam"}),
    "MLP-sgd": (MLPRegressor, {**SGD, "activation": "tanh"}),
    "ada": (AdaBoostRegressor, {}),
    "lasso": (Lasso, {}),
    "linear": (Ridge, {}),
}


def negative_log_likelihood(y: NDArray[Any], probabilities: Floats) -> float:
    """Mean over the rows; probabilities have one column per class, or shape (rows,) for the second class."""
    cut = np.clip(probabilities, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    columns = cut if cut.ndim == 2 else np.stack([1 - cut, cut], axis=1)
    return float(log_loss(y, columns / columns.sum(axis=1, keepdims=True)))


CLASSIFICATION = {
    "accuracy": make_scorer(accuracy_score),
    "nll": make_scorer(negative_log_likelihood, response_method="predict_proba"),
}
REGRESSION = {"mse": make_scorer(mean_squared_error), "mae": make_scorer(mean_absolute_error)}
"""No sign is flipped: they return the reported values."""


class UnitLength(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """``normalize=True`` of linear models before scikit-learn 1.2: columns are centred and scaled to length 1."""

    def fit(self, x: Floats, y: Any = None) -> UnitLength:
        """Learn the mean and length of each column; a constant column is not scaled."""
        self.mean_ = x.mean(axis=0)
        length = np.linalg.norm(x - self.mean_, axis=0)
        self.length_ = np.where(length == 0, 1.0, length)
        return self

    def transform(self, x: Floats) -> Floats:
        """Centre and scale an array of shape (rows, columns)."""
        scaled: Floats = (x - self.mean_) / self.length_
        return scaled


class Trainer:
    """One model on one data set.

    Args:
        task: One of ``LOADERS``; the data are part of scikit-learn, whose version is in the evaluation's key.
        model: Bayesmark's name of the model.
    """

    def __init__(self, task: str, model: str) -> None:
        x, y = LOADERS[task](return_X_y=True)
        self._classes = len(np.unique(y)) if task != "diabetes" else 0
        self._model = model
        self._x, self._x_test, self._y, self._y_test = train_test_split(x, y, test_size=0.2, random_state=0)

    def train(self, params: Mapping[str, Any], fidelity: Mapping[str, float], seed: int) -> dict[str, float]:
        """Cross-validate on 80 % of the rows, then fit all of these and score the others.

        Args:
            params: The model's hyperparameters.
            fidelity: Empty: there are no fidelities.
            seed: Seed of random models; the splits do not depend on it.

        Returns:
            Each measure's mean over the folds and its value on the test rows as ``test_<measure>``; ``train_seconds``,
            the time of the folds' fits; and ``evaluation_seconds``, the total time without the final fit and scores.

        Raises:
            ValueError: A score is not finite.
        """
        model = build(self._model, params, seed, self._classes)
        scorers = CLASSIFICATION if self._classes else REGRESSION
        clock = time.perf_counter()
        folds = cross_validate(model, self._x, self._y, scoring=scorers, cv=FOLDS, error_score="raise")
        measures = {name: float(np.mean(folds[f"test_{name}"])) for name in scorers}
        seconds = time.perf_counter() - clock
        final = clone(model).fit(self._x, self._y)
        for name, scorer in scorers.items():
            measures[f"test_{name}"] = float(scorer(final, self._x_test, self._y_test))
        if not np.isfinite(list(measures.values())).all():
            raise ValueError(f"a score is not finite: {measures}")
        return {**measures, "train_seconds": float(folds["fit_time"].sum()), "evaluation_seconds": seconds}


def build(model: str, params: Mapping[str, Any], seed: int, classes: int) -> Any:
    """The unfitted model of a name; a regression model without classes."""
    family, fixed = (CLASSIFIERS if classes else REGRESSORS)[model]
    estimator = family(**fixed, **{name: value for name, value in params.items() if name != "normalize"})
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=seed)
    if family is LogisticRegression and classes > 2:
        return OneVsRestClassifier(estimator)
    # Before 1.2, scikit-learn ignored normalize without an intercept.
    if params.get("normalize") and params["fit_intercept"]:
        return make_pipeline(UnitLength(), estimator)
    return estimator
