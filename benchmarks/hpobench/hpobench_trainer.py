"""Train HPOBench's models with its rows, preprocessing and random numbers. See ``hpobench_live``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.openml.openml_task import OpenMLTask, load_task

if TYPE_CHECKING:
    import pandas

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

VALIDATION_SHARE = 0.33
SPLIT_SEED = 1
ROWS_PER_CLASS = 10


@dataclass(frozen=True, slots=True)
class Part:
    """Preprocessed rows: features of shape (rows, columns), class codes of shape (rows,)."""

    features: Floats
    classes: Codes

    def __add__(self, other: Part) -> Part:
        return Part(np.vstack((self.features, other.features)), np.concatenate((self.classes, other.classes)))


class Trainer:
    """One model on one task.

    Args:
        task: OpenML task id.
        model: A key of ``hpobench_spaces.MODELS``.
        leak: ``none`` or ``v1``.
        checksum: Checksum of the data that the parent process read.
        folder: Root of the OpenML client's cache.

    Raises:
        ValueError: The data on disk have changed.
    """

    def __init__(self, task: int, model: str, leak: str, checksum: str, folder: str | None = None) -> None:
        data = load_task(task, folder)
        if data.checksum != checksum:
            raise ValueError(f"the data of OpenML task {task} changed since the run began")
        self._model, self._leak = model, leak
        self._train, self._validation, self._test = prepared(data)
        # HPOBench's least share of rows to train on (data_manager.py, lines 159-162)
        self._least_share = max(1 / 512, ROWS_PER_CLASS * len(data.classes) / len(self._train.classes))

    def train(self, params: dict[str, Any], fidelity: dict[str, float], seed: int) -> dict[str, float]:
        """Fit the training rows and score validation; fit both and score test. With the leak, one fit serves both.

        Returns:
            The scores; ``train_seconds`` of the validated fit; and ``evaluation_seconds``, HPOBench's cost: this fit
            and the computation of its validation accuracy.
        """
        both = self._train + self._validation
        validated = tested = self._fitted(both, params, fidelity, seed)
        if self._leak == "none":
            validated = self._fitted(self._train, params, fidelity, seed)
        clock = time.perf_counter()
        told = validated.predict(self._validation.features)
        seconds = time.perf_counter() - clock
        measures = scores(self._validation.classes, told)
        test = scores(self._test.classes, tested.predict(self._test.features))
        measures |= {f"test_{name}": value for name, value in test.items()}
        measures["train_seconds"] = validated.seconds
        measures["evaluation_seconds"] = validated.seconds + seconds
        return measures

    def _fitted(self, part: Part, params: dict[str, Any], fidelity: dict[str, float], seed: int) -> Fitted:
        """Fit rows drawn *with replacement*, also for a share of 1, as in HPOBench; one generator for everything."""
        rng = np.random.RandomState(seed)
        share = max(fidelity["subsample"], self._least_share)
        drawn = rng.choice(len(part.classes), size=int(share * len(part.classes)))
        # XGBoost needs classes 0..k-1, also if a class was not drawn.
        present, target = np.unique(part.classes[drawn], return_inverse=True)
        estimator = unfitted(self._model, params, fidelity, part.features.shape[1], rng)
        clock = time.perf_counter()
        estimator.fit(part.features[drawn], target)
        return Fitted(estimator, present, time.perf_counter() - clock)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted estimator, the class codes of its own codes, and the fit's seconds."""

    estimator: Any
    present: Codes
    seconds: float

    def predict(self, features: Floats) -> Codes:
        """Class codes, shape (rows,)."""
        told: Codes = self.present[self.estimator.predict(features)]
        return told


def prepared(data: OpenMLTask) -> tuple[Part, Part, Part]:
    """Preprocessed training, validation and test rows; fitted on the training rows only, as in HPOBench."""
    classes = alphabetical(data)
    kept, held = split(data.train, classes)
    preprocessing = _preprocessing(data.features.iloc[kept], data.categorical)
    train = preprocessing.fit_transform(data.features.iloc[kept])
    validation, test = (preprocessing.transform(data.features.iloc[rows]) for rows in (held, data.test))
    return Part(train, classes[kept]), Part(validation, classes[held]), Part(test, classes[data.test])


def alphabetical(data: OpenMLTask) -> Codes:
    """Class codes in the order of the classes' names, as in HPOBench; its random numbers depend on the order."""
    order = sorted(range(len(data.classes)), key=lambda code: data.classes[code])
    codes = np.empty(len(order), dtype=np.int64)
    codes[order] = np.arange(len(order))
    found: Codes = codes[data.values]
    return found


def split(rows: Codes, classes: Codes) -> tuple[Codes, Codes]:
    """Training rows and validation rows: 33 %, stratified, seed 1 (data_manager.py, lines 123-126).

    Args:
        rows: Positions of the training part of the official split.
        classes: Codes of all rows from ``alphabetical``; the split depends on the order of the classes.
    """
    from sklearn.model_selection import train_test_split

    kept, held = train_test_split(
        rows, test_size=VALIDATION_SHARE, stratify=classes[rows], random_state=SPLIT_SEED, shuffle=True
    )
    return np.asarray(kept), np.asarray(held)


def _preprocessing(features: pandas.DataFrame, categorical: tuple[bool, ...]) -> Any:
    """Impute and one-hot encode categories; impute medians and scale numbers (data_manager.py, lines 130-145)."""
    from pandas.api.types import is_numeric_dtype
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    columns = zip(features.columns, features.dtypes, categorical, strict=True)
    kinds = [
        column for column in columns if features[column[0]].notna().any()
    ]  # imputers fail on columns without values
    return ColumnTransformer(
        [
            (
                "categories",
                make_pipeline(SimpleImputer(strategy="most_frequent"), encoder),
                [name for name, _, is_category in kinds if is_category],
            ),
            (
                "numbers",
                make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                [name for name, dtype, is_category in kinds if not is_category and is_numeric_dtype(dtype)],
            ),
        ]
    )


def unfitted(
    model: str, params: dict[str, Any], fidelity: dict[str, float], columns: int, rng: np.random.RandomState
) -> Any:
    """The estimator of a configuration, as ``init_model`` in HPOBench's file of the model.

    Args:
        model: A key of ``hpobench_spaces.MODELS``.
        params: A configuration of its space.
        fidelity: All of its fidelities.
        columns: Number of preprocessed features.
        rng: The generator that drew the rows; HPOBench passes it on to the model.
    """
    if model == "svm":
        from sklearn.svm import SVC

        return SVC(**params, random_state=rng, cache_size=200)
    if model == "lr":
        from sklearn.linear_model import SGDClassifier

        rounds = int(fidelity["iter"])
        return SGDClassifier(
            **params, loss="log_loss", max_iter=rounds, learning_rate="adaptive", tol=None, random_state=rng
        )
    if model == "rf":
        from sklearn.ensemble import RandomForestClassifier

        features = int(np.rint(columns ** params["max_features"]))
        trees = int(fidelity["n_estimators"])
        return RandomForestClassifier(**{**params, "max_features": features}, n_estimators=trees, random_state=rng)
    if model == "xgb":
        return _xgboost(params, int(fidelity["n_estimators"]))
    from sklearn.neural_network import MLPClassifier

    others = {name: value for name, value in params.items() if name not in ("depth", "width")}
    layers = [params["width"]] * params["depth"]
    return MLPClassifier(**others, hidden_layer_sizes=layers, max_iter=int(fidelity["iter"]), random_state=rng)


def _xgboost(params: dict[str, Any], rounds: int) -> Any:
    """XGBoost with the defaults of HPOBench's version: the exact method, and an intercept of one half."""
    from xgboost import XGBClassifier

    return XGBClassifier(
        **params, n_estimators=rounds, subsample=1, tree_method="exact", base_score=0.5, random_state=0, n_jobs=1
    )


def scores(truth: Codes, told: Codes) -> dict[str, float]:
    """HPOBench's four scores (ml_benchmark_template.py, lines 15-27); precision and F1 are means over the classes."""
    from sklearn import metrics

    return {
        "balanced_accuracy": float(metrics.balanced_accuracy_score(truth, told)),
        "accuracy": float(metrics.accuracy_score(truth, told)),
        "precision": float(metrics.precision_score(truth, told, average="macro", zero_division=0)),
        "f1": float(metrics.f1_score(truth, told, average="macro", zero_division=0)),
    }
