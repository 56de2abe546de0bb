"""Trains and scores the support vector machine of ``benchmarks.conditional.conditional``, in the training process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.bayesmark.bayesmark_trainer import LOADERS

FOLDS = 3
MOST_STEPS = 100_000
"""Iteration limit of the solver, so that no configuration takes minutes; an unconverged fit is scored as it is."""


class Trainer:
    """One data set.

    Args:
        task: One of ``LOADERS`` with classes; the data are part of scikit-learn, whose version is in the evaluation's
            key.
    """

    def __init__(self, task: str) -> None:
        x, y = LOADERS[task](return_X_y=True)
        self._x, self._x_test, self._y, self._y_test = train_test_split(x, y, test_size=0.2, random_state=0)

    def train(self, params: Mapping[str, Any], fidelity: Mapping[str, float], seed: int) -> dict[str, float]:
        """Cross-validate on 80 % of the rows, then fit all of these and score the others.

        Args:
            params: Keyword arguments of scikit-learn's ``SVC``.
            fidelity: Empty: there are no fidelities.
            seed: Unused: neither the splits nor the model are random.

        Returns:
            ``accuracy``, the mean over the folds; ``test_accuracy`` on the held-out rows; and ``evaluation_seconds``,
            the total time without the final fit and score.
        """
        model = make_pipeline(StandardScaler(), SVC(**params, max_iter=MOST_STEPS))
        clock = time.perf_counter()
        folds = cross_validate(model, self._x, self._y, cv=FOLDS, error_score="raise")
        seconds = time.perf_counter() - clock
        final = clone(model).fit(self._x, self._y)
        return {
            "accuracy": float(np.mean(folds["test_score"])),
            "test_accuracy": float(final.score(self._x_test, self._y_test)),
            "evaluation_seconds": seconds,
        }
