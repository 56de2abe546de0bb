"""Quality and fairness: classifiers on four data sets about people, each with a sensitive attribute.

* Tasks: adult (OpenML task 7592), credit_g (31), bank_marketing (14965), and COMPAS (``sensitive``).
* Spaces and fidelities: those of family openml (``tabular_spaces``, ``tabular_models``).
* Measures: balanced accuracy, accuracy, macro F1; demographic parity and equalized odds differences (fairlearn);
  training seconds; bytes of the pickled model; joules if the machine has a counter.
* Splits: a third of the official split's training part, stratified, seed 1, is validation, as in HPOBench. The test
  fold is scored by a model trained on all of the training part; this is recorded and never shown to an optimizer.

The sensitive attribute stays among the features, as in an ordinary pipeline: leaving it out does not make a model fair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from benchmarks.fairness.sensitive import SOURCES, load_sensitive
from benchmarks.lookup.discretize import on_levels
from benchmarks.openml.tabular_models import MODELS, models_for
from benchmarks.openml.tabular_spaces import search_space
from benchmarks.openml.task_contexts import contexts, features_in_words
from benchmarks.openml.trainable import refuse_untrainable
from benchmarks.shared.measures import ENERGY, chosen
from benchmarks.shared.setting_checks import one_of
from benchmarks.training.holdout import MOST_CATEGORIES, a_third_off
from benchmarks.training.live import Live
from benchmarks.training.xgboost_distribution import xgboost_distribution
from harness.cache import USER
from harness.problem import Description, Objective, Outcome, Params, Problem
from harness.space import default_of

MEASURES = {
    objective.name: objective
    for objective in (
        Objective("balanced_accuracy", "maximize", scale=(1.0, 0.0)),
        Objective("demographic_parity_difference", "minimize", scale=(0.0, 1.0)),
        Objective("equalized_odds_difference", "minimize", scale=(0.0, 1.0)),
        Objective("accuracy", "maximize", scale=(1.0, 0.0)),
        Objective("f1_macro", "maximize", scale=(1.0, 0.0)),
        Objective("train_seconds", "minimize"),
        Objective("model_bytes", "minimize"),
        ENERGY,
    )
}
"""Possible objectives."""

VERSION = "fairness 1"
"""Increased whenever the same configuration would give other measurements."""

DEFAULT_OBJECTIVES = ("balanced_accuracy", "demographic_parity_difference")


class Fairness:
    """Classifiers with objectives of quality and fairness.

    Args:
        task: One of ``Fairness.tasks``.
        sensitive: One of the task's attributes (``benchmarks.fairness.sensitive.SOURCES``); None for its first.
        model: One of ``benchmarks.openml.tabular_models.MODELS`` for classification.
        objectives: Some of ``MEASURES``; None for ``DEFAULT_OBJECTIVES``.
        levels: None for ranges; an integer for that many levels per numeric hyperparameter (a finite space).
        folder: Root folder of the OpenML client's cache, or the folder of COMPAS's file; None for the default.
        limit_seconds: Longest evaluation; None for no limit.
        cache: As ``benchmarks.training.live.Live``.

    Raises:
        SettingError: A setting is invalid, or the data are not available.
    """

    tasks: ClassVar[tuple[str, ...]] = tuple(SOURCES)
    examples: ClassVar[tuple[dict[str, str], ...]] = (
        {"task": "credit_g", "model": "logistic_regression"},
        {"task": "compas", "model": "logistic_regression"},
    )
    live: ClassVar[bool] = True
    data: ClassVar[dict[str, str]] = dict.fromkeys(SOURCES, "openml-cache") | {"compas": "compas"}

    def __init__(
        self,
        task: str = "credit_g",
        sensitive: str | None = None,
        model: str = "random_forest",
        objectives: Sequence[str] | None = None,
        levels: int | None = None,
        folder: str | None = None,
        limit_seconds: float | None = 300,
        cache: str = USER,
    ) -> None:
        one_of("fairness model", model, models_for("classification"))
        goals = chosen(DEFAULT_OBJECTIVES if objectives is None else objectives, MEASURES, "fairness")
        data, groups, attribute = load_sensitive(task, sensitive, folder)
        refuse_untrainable(data, lambda: [a_third_off(data.train, data.values, stratified=True)], MOST_CATEGORIES)
        space = on_levels(search_space(f"fairness.{task}", model, regression=False), levels)
        settings = {"task": task, "sensitive": attribute, "model": model, "folder": folder, "checksum": data.checksum}
        self._live = Live(
            "benchmarks.fairness.fairness_trainer:Trainer",
            settings,
            VERSION,
            limit_seconds,
            cache,
            ("fairlearn", *((xgboost_distribution(),) if model == "xgboost" else ())),
            [goal.name for goal in goals],
        )
        tuned = f"A {MODELS[model].title} is tuned as a classifier of people."
        self.problem = Problem(
            name=f"fairness.{task}",
            space=space,
            objectives=goals,
            default=default_of(space),
            fidelities=MODELS[model].fidelities,
            description=Description(
                tuned,
                f"The data set is {data.name}: {len(data.features)} rows, {features_in_words(data)}, "
                f"{len(data.classes)} classes; the sensitive attribute is {attribute} "
                f"({len(set(groups.tolist()))} groups).",
            ),
            contexts=contexts(data, tuned),
        )

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Train and score one configuration, or take the result from the cache.

        Raises:
            EvaluationError: The training failed, crashed or ran out of time.
        """
        return self._live.evaluate(self.problem, params, fidelity, seed)

    def random_search_curve(self, evaluations: int) -> None:
        """None: the curve of a trained model is unknown."""
