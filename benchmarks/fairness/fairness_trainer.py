"""Train a classifier on data with a sensitive attribute, and score the quality and fairness of its predictions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from benchmarks.fairness.sensitive import Groups, load_sensitive
from benchmarks.openml.tabular_models import Recipe
from benchmarks.training.holdout import Values, a_third_off, classification_scores, fit_and_predict, subsample
from harness.problem import Params


class Trainer:
    """Built in the training process (``benchmarks.training.live``).

    Args:
        task: One of ``benchmarks.fairness.sensitive.SOURCES``.
        sensitive: One of its attributes.
        model: One of ``benchmarks.openml.tabular_models.MODELS``.
        folder: Folder of the data.
        checksum: Checksum of the data that the parent process read.

    Raises:
        ValueError: The data on disk have changed.
    """

    def __init__(self, task: str, sensitive: str, model: str, folder: str | None, checksum: str) -> None:
        self._model = model
        self._task, self._groups, _ = load_sensitive(task, sensitive, folder)
        if self._task.checksum != checksum:
            raise ValueError(f"the data of {task} changed since the run began")
        self._split = a_third_off(self._task.train, self._task.values, stratified=True)

    def train(self, params: Params, fidelity: Mapping[str, float], seed: int) -> dict[str, float]:
        """Scores on the validation rows; and on the test rows, after a refit on all training rows (``test_...``)."""
        task = self._task
        clock = time.perf_counter()
        measured = self._scores(params, fidelity, seed, *self._split)
        measured["evaluation_seconds"] = time.perf_counter() - clock
        tested = self._scores(params, fidelity, seed, task.train, task.test)
        return measured | {f"test_{name}": value for name, value in tested.items() if not name.endswith("_seconds")}

    def _scores(
        self, params: Params, fidelity: Mapping[str, float], seed: int, fit: Any, part: Any
    ) -> dict[str, float]:
        task = self._task
        rows = subsample(fit, task.values, fidelity["subsample"], seed, stratified=True)
        recipe = Recipe(self._model, params, fidelity, seed, regression=False)
        pipeline = recipe.pipeline(task.features, task.categorical, len(rows))
        fitted = fit_and_predict(pipeline, task.features, task.values, rows, [part], len(task.classes))
        truth, predicted = task.values[part], fitted.predictions[0]
        return {
            **classification_scores(truth, predicted),
            **unfairness(truth, predicted, self._groups[part]),
            "train_seconds": fitted.train_seconds,
            "model_bytes": float(fitted.model_bytes),
        }


def unfairness(truth: Values, predicted: Values, groups: Groups) -> dict[str, float]:
    """Differences between groups from 0 (none) to 1, as fairlearn defines them.

    ``demographic_parity_difference``: the largest minus the smallest share of a group predicted as the second class
    (Agarwal et al. 2018, definition 1). ``equalized_odds_difference``: the larger of two such differences, one among
    the members of that class and one among the others (Hardt et al. 2016). Both are symmetric in the two classes.
    """
    from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference

    return {
        "demographic_parity_difference": float(
            demographic_parity_difference(truth, predicted, sensitive_features=groups)
        ),
        "equalized_odds_difference": float(equalized_odds_difference(truth, predicted, sensitive_features=groups)),
    }
