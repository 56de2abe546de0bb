"""Train the models of family openml in the training process."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.openml.openml_task import load_task
from benchmarks.openml.tabular_models import Recipe
from benchmarks.training.holdout import (
    Fitted,
    Rows,
    Split,
    a_third_off,
    classification_scores,
    fit_and_predict,
    inner_folds,
    regression_scores,
    subsample,
)


class Trainer:
    """One model on one task.

    Args:
        task_id: OpenML task id.
        model: One of ``tabular_models.MODELS``.
        folds: Folds of the inner cross-validation, or None for a third of the training part as validation rows.
        fold: Test fold of the official split.
        repeat: Repeat of the official split.
        checksum: Expected checksum of the task's data.
        folder: As ``load_task``.

    Raises:
        ValueError: The checksum of the data differs.
    """

    def __init__(
        self, task_id: int, model: str, folds: int | None, fold: int, repeat: int, checksum: str, folder: str | None
    ) -> None:
        task = load_task(task_id, folder, fold, repeat)
        if task.checksum != checksum:
            raise ValueError(f"The data of OpenML task {task_id} changed since the run began.")
        self._task, self._model = task, model
        self._regression = task.kind == "regression"
        self._splits = validation_splits(task.train, task.values, folds, not self._regression)

    def train(self, params: dict[str, Any], fidelity: dict[str, float], seed: int) -> dict[str, float]:
        """Fit and score on validation rows, then fit on the whole training part and score on the test fold.

        Both fits have the same fidelity, so that low-fidelity evaluations are cheap.

        Returns:
            Validation scores (means over the folds), ``test_`` scores, ``train_seconds`` of the validated fits,
            ``refit_seconds`` of the tested fit, ``model_bytes`` of the tested pipeline, and ``evaluation_seconds``
            (everything except the refit and its scores).
        """
        clock = time.perf_counter()
        recipe = Recipe(self._model, params, fidelity, seed, self._regression)
        inner = [(held, self._fit(recipe, kept, held)) for kept, held in self._splits]
        scores = [self._scores(held, fitted) for held, fitted in inner]
        seconds = time.perf_counter() - clock
        refit = self._fit(recipe, self._task.train, self._task.test)
        return {
            **{name: float(np.mean([score[name] for score in scores])) for name in min(scores, key=len)},
            **{f"test_{name}": value for name, value in self._scores(self._task.test, refit).items()},
            "train_seconds": sum(fitted.train_seconds for _, fitted in inner),
            "refit_seconds": refit.train_seconds,
            "model_bytes": float(refit.model_bytes),
            "evaluation_seconds": seconds,
        }

    def _fit(self, recipe: Recipe, train: Rows, held: Rows) -> Fitted:
        task = self._task
        rows = subsample(train, task.values, recipe.fidelity["subsample"], recipe.seed, not self._regression)
        pipeline = recipe.pipeline(task.features, task.categorical, len(rows))
        return fit_and_predict(pipeline, task.features, task.values, rows, [held], len(task.classes))

    def _scores(self, held: Rows, fitted: Fitted) -> dict[str, float]:
        truth = self._task.values[held]
        if self._regression:
            return regression_scores(truth, fitted.predictions[0])
        return classification_scores(truth, fitted.predictions[0], fitted.probabilities[0])


def validation_splits(train: Rows, values: Any, folds: int | None, stratified: bool) -> list[Split]:
    """The (training, validation) rows over which the objective is averaged."""
    if folds is None:
        return [a_third_off(train, values, stratified)]
    return inner_folds(train, values, folds, stratified)
