"""OpenML: models trained live on any supervised classification or regression task.

Source: Vanschoren et al., "OpenML: networked science in machine learning", SIGKDD Explorations 2013; tasks, data and
splits through the openml client (see ``openml_task``), from its cache or by download. The protocol is ours:

Spaces: one per model, in ``tabular_spaces``; the pipelines around them in ``tabular_models`` and ``holdout``.
Fidelities: ``subsample``, a stratified share of the training rows, and for some models ``trees``, ``rounds`` or
    ``epochs``. Both fits of an evaluation have its fidelity.
Metrics: balanced accuracy for classification, the root mean squared error for regression, or others by name.
Splits: 33 % of the official split's training part are validation rows (stratified, seed 1, as in HPOBench), or it is
    cross-validated. The official test fold is scored after a fit on the whole training part, and recorded as
    ``test_...``; nothing is fitted or selected on it.

Departures from OpenML: rows without a target and text columns, which no model here can use, are left out. The ARFF is
read instead of the parquet copy, since only the former has a published checksum. With a leave-one-out split the test
score is that of one row. Data on which no model can be trained, or all models are equal, are refused when the
benchmark is built (``trainable``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar, Literal

from benchmarks.lookup.discretize import on_levels
from benchmarks.openml.openml_task import OpenMLTask, load_task
from benchmarks.openml.openml_trainer import validation_splits
from benchmarks.openml.tabular_models import MODELS, models_for
from benchmarks.openml.tabular_spaces import search_space
from benchmarks.openml.task_contexts import contexts, features_in_words
from benchmarks.openml.trainable import refusal, refuse_untrainable
from benchmarks.shared.measures import ENERGY, chosen
from benchmarks.shared.setting_checks import one_of
from benchmarks.training.holdout import MOST_CATEGORIES, Split
from benchmarks.training.live import Live
from benchmarks.training.xgboost_distribution import xgboost_distribution
from harness.cache import USER
from harness.errors import SettingError
from harness.problem import Description, Objective, Outcome, Params, Problem
from harness.space import default_of

VERSION = "openml 1"
"""Increased whenever the same configuration would give other measurements."""

COSTS = (Objective("train_seconds", "minimize"), Objective("model_bytes", "minimize"), ENERGY)
CLASSIFICATION = (
    Objective("balanced_accuracy", "maximize", scale=(1.0, 0.0)),
    Objective("accuracy", "maximize", scale=(1.0, 0.0)),
    Objective("f1_macro", "maximize", scale=(1.0, 0.0)),
)
LOG_LOSS = Objective("log_loss", "minimize")
REGRESSION = (
    Objective("root_mean_squared_error", "minimize"),
    Objective("mean_squared_error", "minimize"),
    Objective("mean_absolute_error", "minimize"),
    Objective("r2", "maximize"),
)


class OpenML:
    """A model on an OpenML task.

    Args:
        task: OpenML task id of a supervised task, for example 31.
        model: One of ``tabular_models.MODELS``: logistic_regression is for classification, linear for regression.
        validation: ``holdout``, a third of the training part; or ``cv``, the mean of an inner cross-validation.
        folds: Number of folds of the inner cross-validation.
        objectives: Names, of: balanced_accuracy, accuracy, f1_macro, log_loss (models with probabilities), or
            root_mean_squared_error, mean_squared_error, mean_absolute_error, r2; and train_seconds, model_bytes.
            None for the first.
        fold: Test fold of the official split.
        repeat: Repeat of the official split.
        levels: None for ranges; an integer for that many levels per numeric hyperparameter (a finite space).
        folder: Root of the client's cache; None for the client's own.
        limit_seconds: As ``Live``.
        cache: As ``Live``.

    Raises:
        SettingError: A setting is invalid, or the task is not available.
    """

    tasks: ClassVar[tuple[str, ...]] = ()
    examples: ClassVar[tuple[dict[str, int | str], ...]] = (
        {"task": 31, "model": "svm"},
        {"task": 53, "model": "random_forest"},
    )
    live = True
    data = "openml-cache"

    def __init__(  # noqa: PLR0913 (each one is a setting)
        self,
        task: int | str = 31,
        model: str = "svm",
        *,
        validation: Literal["holdout", "cv"] = "holdout",
        folds: int = 5,
        objectives: Sequence[str] | None = None,
        fold: int = 0,
        repeat: int = 0,
        levels: int | None = None,
        folder: str | None = None,
        limit_seconds: float | None = 600,
        cache: str = USER,
    ) -> None:
        one_of("openml model", model, MODELS)
        one_of("openml validation", validation, ("holdout", "cv"))
        number = task_number(task)
        data = load_task(number, folder, fold, repeat)
        one_of(f"model of a {data.kind} task", model, models_for(data.kind))
        refuse_untrainable(data, partial(splits_of, data, validation, folds), MOST_CATEGORIES)
        settings = {
            "task_id": number,
            "model": model,
            "folds": folds if validation == "cv" else None,
            "fold": fold,
            "repeat": repeat,
            "checksum": data.checksum,
            "folder": folder,
        }
        goals = chosen(objectives, known_objectives(data.kind, model), f"a {data.kind} task with {model}")
        refuse_undefined(goals, data, splits_of(data, validation, folds))
        packages = (xgboost_distribution(),) if model == "xgboost" else ()
        needs = [goal.name for goal in goals]
        self._live = Live(
            "benchmarks.openml.openml_trainer:Trainer", settings, VERSION, limit_seconds, cache, packages, needs
        )
        name = f"openml.{number}"
        space = on_levels(search_space(name, model, data.kind == "regression"), levels)
        self.problem = Problem(
            name=name,
            space=space,
            objectives=goals,
            default=default_of(space),
            fidelities=MODELS[model].fidelities,
            description=describe(data, model),
            contexts=contexts(data, tuned(data, model)),
        )

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Train and score one configuration; the seed is used for the estimator and the subsample.

        Raises:
            EvaluationError: The training failed, crashed or ran out of time.
        """
        return self._live.evaluate(self.problem, params, fidelity, seed)

    def random_search_curve(self, evaluations: int) -> None:
        """None: the curve of a trained model is unknown."""


def task_number(task: int | str) -> int:
    """The OpenML task id, from a number or its digits.

    Raises:
        SettingError: It is not a positive whole number.
    """
    text = str(task).strip()
    if isinstance(task, bool) or not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise SettingError(
            f"openml task {task!r} is not a positive number; give the OpenML task id, for example 31 (credit-g)."
        )
    return int(text)


def checked_folds(folds: int, data: OpenMLTask) -> int:
    """Check the number of inner folds.

    Raises:
        SettingError: It is below 2, or no class has that many rows.
    """
    import numpy as np

    train = data.values[data.train]
    most = len(train) if data.kind == "regression" else int(np.bincount(train).max())
    if type(folds) is not int or not 2 <= folds <= most:
        raise SettingError(f"folds is {folds!r}; give a whole number from 2 to {most}, for example 5.")
    return folds


def splits_of(data: OpenMLTask, validation: str, folds: int) -> list[Split]:
    """The (training, validation) rows over which the objective is averaged.

    Raises:
        SettingError: As ``checked_folds``.
    """
    inner = checked_folds(folds, data) if validation == "cv" else None
    return validation_splits(data.train, data.values, inner, data.kind == "classification")


def refuse_undefined(goals: Sequence[Objective], data: OpenMLTask, splits: Sequence[Split]) -> None:
    """Check that each objective can be computed from the validation rows.

    Raises:
        SettingError: R2 is requested for a single row.
    """
    if "r2" in [goal.name for goal in goals] and min(len(held) for _, held in splits) < 2:
        raise refusal(data, "r2 is undefined, since one of its validation parts has a single row")


def known_objectives(kind: str, model: str) -> dict[str, Objective]:
    """Possible objectives by name, the family's default first."""
    quality = REGRESSION if kind == "regression" else CLASSIFICATION
    extra = (LOG_LOSS,) if kind == "classification" and MODELS[model].probabilities else ()
    return {objective.name: objective for objective in (*quality, *extra, *COSTS)}


def tuned(data: OpenMLTask, model: str) -> str:
    """The model in one sentence."""
    return f"A {MODELS[model].title} is tuned for {data.kind}."


def describe(data: OpenMLTask, model: str) -> Description:
    """Model and data, for prompts."""
    classes = f", {len(data.classes)} classes" if data.classes else ""
    return Description(
        tuned(data, model),
        f"The data set is {data.name} (OpenML task {data.task_id}): "
        f"{len(data.features)} rows, {features_in_words(data)}{classes}.",
    )
