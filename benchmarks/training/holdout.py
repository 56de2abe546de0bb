"""Training on a data set with a fixed test part: validation rows, subsamples, preprocessing, fits, scores.

Nothing is fitted on validation or test rows: preprocessing is part of the fitted pipeline.
"""

from __future__ import annotations

import math
import pickle
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

Rows = NDArray[np.int64]
Values = NDArray[Any]
Split = tuple[Rows, Rows]

VALIDATION_SHARE = 0.33
SPLIT_SEED = 1
MOST_CATEGORIES = 64
"""Largest number of columns per categorical feature; rarer categories share the last column."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted pipeline and its predictions.

    Attributes:
        pipeline: The fitted pipeline.
        train_seconds: Duration of the fit, preprocessing included.
        predictions: For each requested part: class codes or floats, shape (rows,).
        probabilities: For each part: shape (rows, classes); None if the model has no probabilities.
    """

    pipeline: Any
    train_seconds: float
    predictions: list[Values]
    probabilities: list[Values | None]

    @property
    def model_bytes(self) -> int:
        """Size of the pickled pipeline."""
        return len(pickle.dumps(self.pipeline, protocol=5))


def a_third_off(rows: Rows, values: Values, stratified: bool) -> Split:
    """Training and validation rows: 33 % for validation, stratified, seed 1, as in HPOBench.

    The rows also depend on the order of the classes: here OpenML's, in HPOBench the alphabetical one.

    Args:
        rows: Positions of the training part.
        values: The target of all rows.
        stratified: Keep the shares of the classes; ignored if a class has a single row, or one of the parts would have
            fewer rows than there are classes.
    """
    from sklearn.model_selection import train_test_split

    labels = values[rows]
    counts = np.unique(labels, return_counts=True)[1]
    smaller = math.ceil(VALIDATION_SHARE * len(rows))
    enough = stratified and counts.min() >= 2 and len(counts) <= min(smaller, len(rows) - smaller)
    kept, held = train_test_split(
        rows, test_size=VALIDATION_SHARE, stratify=labels if enough else None, random_state=SPLIT_SEED
    )
    return np.asarray(kept), np.asarray(held)


def inner_folds(rows: Rows, values: Values, folds: int, stratified: bool) -> list[Split]:
    """Training and validation rows of an inner cross-validation, shuffled with seed 1.

    Raises:
        ValueError: There are fewer rows, or rows of every class, than folds.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if stratified else KFold
    splitter = kind(n_splits=folds, shuffle=True, random_state=SPLIT_SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class may have fewer rows than there are folds
        return [(rows[kept], rows[held]) for kept, held in splitter.split(rows, values[rows])]


def subsample(rows: Rows, values: Values, share: float, seed: int, stratified: bool) -> Rows:
    """A random share of the rows, in their order; with the same seed, a larger share holds the smaller one.

    Args:
        rows: Positions.
        values: The target of all rows.
        share: Above 0, at most 1; 1 returns all rows.
        seed: Seed of the selection.
        stratified: Take the share of each class, and at least one row of it.
    """
    if share >= 1:
        return rows
    order = np.random.default_rng(seed).permutation(len(rows))
    groups = values[rows][order] if stratified else np.zeros(len(rows), dtype=int)
    parts = [order[groups == group] for group in np.unique(groups)]
    chosen: Rows = np.concatenate([part[: max(1, round(share * len(part)))] for part in parts])
    chosen.sort()
    return rows[chosen]


def preprocessing(features: pandas.DataFrame, categorical: Sequence[bool], scaled: bool) -> Any:
    """A ColumnTransformer: medians for missing numbers, then scaling; one column per category, including missing.

    Text columns (neither numeric nor categorical in OpenML) are left out.

    Args:
        features: The features; numbers are recognized by their dtypes.
        categorical: Whether each feature is categorical.
        scaled: Whether to scale numbers to mean 0 and standard deviation 1.
    """
    from pandas.api.types import is_numeric_dtype
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    kinds = list(zip(features.columns, features.dtypes, categorical, strict=True))
    numbers = [name for name, dtype, is_category in kinds if not is_category and is_numeric_dtype(dtype)]
    median = SimpleImputer(strategy="median", keep_empty_features=True)
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False, dtype=float
    )
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(median, StandardScaler()) if scaled else median, numbers),
            ("categories", encoder, [name for name, _, is_category in kinds if is_category]),
        ]
    )


def fit_and_predict(
    pipeline: Any, features: pandas.DataFrame, values: Values, train: Rows, parts: Sequence[Rows], classes: int = 0
) -> Fitted:
    """Fit on some rows and predict others.

    Args:
        pipeline: An unfitted scikit-learn estimator of data frames.
        features: All rows.
        values: The target of all rows: class codes 0..k-1, or floats.
        train: Rows to fit on; they need not contain every class.
        parts: Rows to predict, for example those of validation and of test.
        classes: Number of classes; 0 for regression.
    """
    target, present = values[train], np.arange(classes)
    if classes:  # XGBoost does not accept gaps in the codes
        present, target = np.unique(target, return_inverse=True)
    clock = time.perf_counter()
    pipeline.fit(features.iloc[train], target)
    seconds = time.perf_counter() - clock
    predictions: list[Values] = []
    probabilities: list[Values | None] = []
    for part in parts:
        told = pipeline.predict(features.iloc[part])
        predictions.append(present[told] if classes else np.asarray(told, dtype=float))
        probabilities.append(None)
        if classes and hasattr(pipeline, "predict_proba"):
            every = np.zeros((len(part), classes))
            every[:, present] = pipeline.predict_proba(features.iloc[part])
            probabilities[-1] = every
    return Fitted(pipeline, seconds, predictions, probabilities)


def classification_scores(truth: Values, predicted: Values, probabilities: Values | None = None) -> dict[str, float]:
    """Balanced accuracy, accuracy, F1 (mean over the classes) and, given probabilities, the log loss."""
    from sklearn import metrics

    scores = {
        "balanced_accuracy": float(metrics.balanced_accuracy_score(truth, predicted)),
        "accuracy": float(metrics.accuracy_score(truth, predicted)),
        "f1_macro": float(metrics.f1_score(truth, predicted, average="macro", zero_division=0)),
    }
    if probabilities is not None:
        scores["log_loss"] = float(metrics.log_loss(truth, probabilities, labels=np.arange(probabilities.shape[1])))
    return scores


def regression_scores(truth: Values, predicted: Values) -> dict[str, float]:
    """Root mean squared error, mean squared error, mean absolute error, and, for two or more rows, R2."""
    from sklearn import metrics

    squared = float(metrics.mean_squared_error(truth, predicted))
    scores = {
        "root_mean_squared_error": squared**0.5,
        "mean_squared_error": squared,
        "mean_absolute_error": float(metrics.mean_absolute_error(truth, predicted)),
    }
    return scores if len(truth) < 2 else scores | {"r2": float(metrics.r2_score(truth, predicted))}
