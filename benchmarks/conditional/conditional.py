"""A support vector machine whose space has conditions and forbidden combinations.

A flat JSON schema cannot express these. The model is trained live, on data sets that come with scikit-learn. Source:
auto-sklearn's ``libsvm_svc`` (Feurer et al., "Efficient and robust automated machine learning", NeurIPS 2015), whose
conditions on ``degree`` and ``coef0`` are used.

Departures: rounded ranges; a linear kernel, and with it a condition on ``gamma``; no ``tol``. The two forbidden
combinations are ours (a polynomial of degree 5, sigmoid without shrinking); they could be trained and only test
whether an optimizer keeps to them. Every configuration has exactly the hyperparameters of its kernel.

Splits: 20 % of the rows are held out as in ``bayesmark``. The objective is the mean accuracy of 3-fold
cross-validation on the other rows (stratified, not shuffled), with features standardized within each fold. A refit on
all of them is scored on the 20 %: ``test_accuracy``, recorded only. There are no fidelities. Nothing is random, so
scores do not depend on the run's seed.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

from ConfigSpace import ConfigurationSpace, EqualsCondition, InCondition, NotEqualsCondition
from ConfigSpace.forbidden import ForbiddenAndConjunction, ForbiddenEqualsClause
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from benchmarks.bayesmark.bayesmark import DATA_SETS, DataSet
from benchmarks.lookup.discretize import on_levels
from benchmarks.shared.setting_checks import one_of
from benchmarks.training.live import Live
from harness.cache import USER
from harness.problem import Description, Objective, Outcome, Params, Problem
from harness.space import default_of

VERSION = "conditional 1"
TRAINER = "benchmarks.conditional.conditional_trainer:Trainer"
ACCURACY = Objective("accuracy", "maximize", scale=(1.0, 0.0))

KERNELS = ("linear", "rbf", "poly", "sigmoid")
MEANINGS = {
    "kernel": "kernel function",
    "C": "penalty of errors; larger regularizes less",
    "gamma": "coefficient of the kernel",
    "degree": "degree of the polynomial kernel",
    "coef0": "constant term of the kernel",
    "shrinking": "use the shrinking heuristic",
}


class Conditional:
    """A support vector machine on one data set; the objective is cross-validated accuracy, its optimum unknown.

    Args:
        task: One of ``Conditional.tasks``.
        levels: None for ranges; an integer for that many levels per numeric hyperparameter (a finite space).
        limit_seconds: As ``benchmarks.training.live.Live``.
        cache: As ``benchmarks.training.live.Live``.

    Raises:
        SettingError: A setting is invalid.
    """

    tasks: ClassVar[tuple[str, ...]] = ("breast", "digits", "wine")
    live = True

    def __init__(
        self,
        task: str = "digits",
        levels: int | None = None,
        limit_seconds: float | None = None,
        cache: str = USER,
    ) -> None:
        data = DATA_SETS[one_of("conditional task", task, self.tasks)]
        name = f"conditional.{task}"
        space = on_levels(kernel_space(name), levels)
        self.problem = Problem(
            name=name,
            space=space,
            objectives=(ACCURACY,),
            default=default_of(space),
            description=describe(data),
        )
        self._live = Live(TRAINER, {"task": task}, VERSION, limit_seconds, cache)

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Train and score one configuration; evaluation_seconds excludes the final fit.

        Raises:
            EvaluationError: As ``benchmarks.training.live.Live``.
        """
        return self._live.evaluate(self.problem, params, fidelity, seed)

    def random_search_curve(self, evaluations: int) -> None:
        """None: the curve of a trained model is unknown."""


def kernel_space(name: str) -> ConfigurationSpace:
    """The space: three conditions on the kernel, two forbidden combinations."""
    space = ConfigurationSpace(name=name)
    kernel = CategoricalHyperparameter("kernel", KERNELS, default_value="rbf", meta=_meaning("kernel"))
    gamma = UniformFloatHyperparameter("gamma", 1e-4, 10.0, 0.01, log=True, meta=_meaning("gamma"))
    degree = UniformIntegerHyperparameter("degree", 2, 5, 3, meta=_meaning("degree"))
    coef0 = UniformFloatHyperparameter("coef0", -1.0, 1.0, 0.0, meta=_meaning("coef0"))
    shrinking = CategoricalHyperparameter("shrinking", (True, False), default_value=True, meta=_meaning("shrinking"))
    space.add(
        kernel,
        UniformFloatHyperparameter("C", 0.01, 1000.0, 1.0, log=True, meta=_meaning("C")),
        gamma,
        degree,
        coef0,
        shrinking,
        NotEqualsCondition(gamma, kernel, "linear"),
        EqualsCondition(degree, kernel, "poly"),
        InCondition(coef0, kernel, ["poly", "sigmoid"]),
        ForbiddenAndConjunction(ForbiddenEqualsClause(kernel, "poly"), ForbiddenEqualsClause(degree, 5)),
        ForbiddenAndConjunction(ForbiddenEqualsClause(kernel, "sigmoid"), ForbiddenEqualsClause(shrinking, False)),
    )
    return space


def describe(data: DataSet) -> Description:
    """Model and data, for prompts."""
    return Description(
        "A support vector machine on standardized features is tuned by 3-fold cross-validation.",
        f"The data set is {data.name}, as scikit-learn ships it: "
        f"{data.rows} rows, {data.features} features, {data.classes} classes.",
    )


def _meaning(name: str) -> dict[Hashable, Any]:
    return {"description": MEANINGS[name]}
