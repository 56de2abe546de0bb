"""Bayesmark: nine scikit-learn models on five data sets that come with scikit-learn, trained live.

Source: Turner and Eriksson, Bayesmark 0.0.8 (Uber), the benchmark behind NeurIPS's black-box optimization challenge of
2020 (Turner et al., PMLR 133, 2021); protocol and ranges from its ``sklearn_funcs.py``, ``data.py``, ``space.py``.

Splits: 20 % of the rows are held out (``train_test_split``, random_state 0, not stratified). The objective is the mean
of 5-fold cross-validation on the other rows (stratified for classes, not shuffled). A refit on all of them is scored
on the 20 %: ``test_accuracy`` etc., recorded only. Measures: accuracy and nll (negative log-likelihood) for classes,
mse and mae for diabetes; and train_seconds, the time of the five folds' fits. Spaces:
``benchmarks.bayesmark.bayesmark_models``. There are no fidelities.

Departures, and why:

* Scores have their usual sign (Bayesmark minimizes -accuracy); one evaluation records all measures.
* The run's seed is the random_state of models that have one. Bayesmark leaves them to numpy's global generator, so its
  scores of DT, RF, MLP, ada, the classifier lasso and SVM's nll are not reproducible; ours are.
* ConfigSpace has no logit scale: see ``space`` below. No default is published: ours are scikit-learn's.
* scikit-learn has changed since 2020: boston was removed; AdaBoostClassifier is SAMME (it was SAMME.R); liblinear
  on more than two classes is a OneVsRestClassifier, which it used internally; ``normalize`` of linear models is a
  pipeline step here. The nll's logarithm is clipped at 1e-15, as it was then.

Deterministic models score exactly the same here (``tests/benchmarks/golden/bayesmark.json``: kNN; accuracy of
SVM and linear; all of kNN, SVM, lasso, linear on diabetes). The nll of linear differs where liblinear has not converged
(breast, C 100).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from benchmarks.bayesmark.bayesmark_models import CLASSIFICATION, REGRESSION, model_space, unwarped
from benchmarks.shared.hints import hints
from benchmarks.shared.measures import chosen
from benchmarks.shared.setting_checks import one_of
from benchmarks.training.live import Live
from harness.cache import USER
from harness.problem import Description, Objective, Outcome, Params, Problem

VERSION = "bayesmark 1"
TRAINER = "benchmarks.bayesmark.bayesmark_trainer:Trainer"


class DataSet(NamedTuple):
    """One of scikit-learn's data sets. Without classes, the target is a number."""

    name: str
    rows: int
    features: int
    classes: int


DATA_SETS = {
    "breast": DataSet("Breast Cancer Wisconsin (Diagnostic)", 569, 30, 2),
    "diabetes": DataSet("Diabetes (Efron et al.)", 442, 10, 0),
    "digits": DataSet("Optical Recognition of Handwritten Digits", 1797, 64, 10),
    "iris": DataSet("Iris", 150, 4, 3),
    "wine": DataSet("Wine", 178, 13, 3),
}

MODELS = {
    "kNN": "k-nearest-neighbours model",
    "SVM": "support vector machine with an RBF kernel",
    "DT": "decision tree",
    "RF": "random forest of 10 trees",
    "MLP-adam": "neural network with one hidden layer, trained with Adam and early stopping,",
    "MLP-sgd": "neural network with one hidden layer, trained with SGD and early stopping,",
    "ada": "AdaBoost ensemble",
    "lasso": "linear model with an L1 penalty",
    "linear": "linear model with an L2 penalty",
}

SECONDS = Objective("train_seconds", "minimize")
OF_CLASSES = {
    "accuracy": Objective("accuracy", "maximize"),
    "nll": Objective("nll", "minimize"),
    "train_seconds": SECONDS,
}
OF_NUMBERS = {"mse": Objective("mse", "minimize"), "mae": Objective("mae", "minimize"), "train_seconds": SECONDS}


class Bayesmark:
    """One model on one data set; the objective is cross-validated accuracy, or mean squared error on diabetes.

    The optimum is unknown: None.

    Args:
        task: One of ``Bayesmark.tasks``.
        model: One of ``MODELS``.
        space: ``natural`` searches logit ranges on the nearer of the linear and log scales; ``warped`` searches them
            as log-odds under the name ``logit_<name>``, which is Bayesmark's own distribution.
        objectives: One or several of accuracy, nll and train_seconds, on diabetes of mse, mae and train_seconds; None
            for the first.
        limit_seconds: As ``benchmarks.training.live.Live``.
        cache: As ``benchmarks.training.live.Live``.

    Raises:
        SettingError: A setting is invalid.
    """

    tasks: ClassVar[tuple[str, ...]] = tuple(DATA_SETS)
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {"task": "iris", "model": "DT", "space": "warped"},
        {"task": "diabetes", "model": "lasso"},
    )
    live = True

    def __init__(
        self,
        task: str = "breast",
        model: str = "SVM",
        space: Literal["natural", "warped"] = "natural",
        objectives: Sequence[str] | None = None,
        limit_seconds: float | None = None,
        cache: str = USER,
    ) -> None:
        data = DATA_SETS[one_of("bayesmark task", task, self.tasks)]
        one_of("bayesmark model", model, MODELS)
        warped = one_of("bayesmark space", space, ("natural", "warped")) == "warped"
        name = f"bayesmark.{task}"
        configurations = model_space(name, (CLASSIFICATION if data.classes else REGRESSION)[model], warped=warped)
        known = OF_CLASSES if data.classes else OF_NUMBERS
        self.problem = Problem(
            name=name,
            space=configurations,
            objectives=chosen(objectives, known, name),
            default=dict(configurations.get_default_configuration()),
            description=describe(model, data),
            hints=hints("bayesmark", task),
        )
        self._live = Live(TRAINER, {"task": task, "model": model}, VERSION, limit_seconds, cache)

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Train and score one configuration; evaluation_seconds excludes the final fit.

        Raises:
            EvaluationError: As ``benchmarks.training.live.Live``.
        """
        return self._live.evaluate(self.problem, unwarped(params), fidelity, seed)

    def random_search_curve(self, evaluations: int) -> None:
        """None: the curve of a continuous space is not known exactly."""


def describe(model: str, data: DataSet) -> Description:
    """Model and data, for prompts."""
    target = f"{data.classes} classes" if data.classes else "a number to predict"
    return Description(
        f"The hyperparameters of a {MODELS[model]} are tuned by 5-fold cross-validation on unscaled features.",
        f"The data set is {data.name}, as scikit-learn ships it: {data.rows} rows, {data.features} features, {target}.",
    )
