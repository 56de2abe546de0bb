"""Bayesmark's models as search spaces: the published ranges and our defaults.

Bayesmark samples a range on one of three scales: linear, log, or logit (uniform in the log-odds). ConfigSpace has only
the first two, so the logit ranges come in two forms:

* ``natural``: the hyperparameter itself, on the scale nearer to logit, linear or log (by the greatest
  difference of the two distribution functions over the range). The range is Bayesmark's; the density of random search
  is not; the difference is largest for Adam's beta_2.
* ``warped``: the log-odds, as ``logit_<name>``, uniform: exactly Bayesmark's distribution, under an unfamiliar name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal, NamedTuple

from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Hyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from harness.problem import Params

Scale = Literal["linear", "log", "logit"]
WARPED = "logit_"


class Range(NamedTuple):
    """The range of a number, an integer if the bounds are."""

    scale: Scale
    lower: float
    upper: float
    default: float
    meaning: str


class Switch(NamedTuple):
    """A boolean."""

    default: bool
    meaning: str


Ranges = Mapping[str, Range | Switch]

# Bayesmark has no defaults. Ours are scikit-learn's, clipped to the range; if scikit-learn's is not a number (gamma, a
# forest's max_features, Ridge's max_iter), the middle of the range on its scale.
KNN: Ranges = {
    "n_neighbors": Range("linear", 1, 25, 5, "number of neighbours"),
    "p": Range("linear", 1, 4, 2, "power of the Minkowski distance"),
}
SVM: Ranges = {
    "C": Range("log", 1.0, 1e3, 1.0, "penalty of errors; larger regularizes less"),
    "gamma": Range("log", 1e-4, 1e-3, 10**-3.5, "coefficient of the RBF kernel"),
    "tol": Range("log", 1e-5, 1e-1, 1e-3, "tolerance at which the solver stops"),
}
TREE: Ranges = {
    "max_depth": Range("linear", 1, 15, 15, "depth of a tree at most"),
    "min_samples_split": Range("logit", 0.01, 0.99, 0.01, "share of the rows that a node needs to be split"),
    "min_samples_leaf": Range("logit", 0.01, 0.49, 0.01, "share of the rows in a leaf at least"),
    "min_weight_fraction_leaf": Range("logit", 0.01, 0.49, 0.01, "share of the total weight in a leaf at least"),
    "max_features": Range("logit", 0.01, 0.99, 0.99, "share of the features tried at a split"),
    "min_impurity_decrease": Range("linear", 0.0, 0.5, 0.0, "decrease of impurity that a split must bring"),
}
FOREST: Ranges = {**TREE, "max_features": Range("logit", 0.01, 0.99, 0.5, "share of the features tried at a split")}
NETWORK: Ranges = {
    "hidden_layer_sizes": Range("linear", 50, 200, 100, "units in the one hidden layer"),
    "alpha": Range("log", 1e-5, 1e1, 1e-4, "strength of the L2 penalty"),
    "batch_size": Range("linear", 10, 250, 200, "examples per mini-batch"),
    "learning_rate_init": Range("log", 1e-5, 1e-1, 1e-3, "initial learning rate"),
    "tol": Range("log", 1e-5, 1e-1, 1e-4, "improvement below which training stops"),
    "validation_fraction": Range("logit", 0.1, 0.9, 0.1, "share of the rows held out for early stopping"),
}
ADAM: Ranges = {
    **NETWORK,
    "beta_1": Range("logit", 0.5, 0.99, 0.9, "decay of Adam's first moment"),
    "beta_2": Range("logit", 0.9, 1.0 - 1e-6, 0.999, "decay of Adam's second moment"),
    "epsilon": Range("log", 1e-9, 1e-6, 1e-8, "numerical stability of Adam"),
}
SGD: Ranges = {
    **NETWORK,
    "power_t": Range("logit", 0.1, 0.9, 0.5, "exponent with which the learning rate falls"),
    "momentum": Range("logit", 0.001, 0.999, 0.9, "momentum"),
}
ADA: Ranges = {
    "n_estimators": Range("linear", 10, 100, 50, "boosting rounds at most"),
    "learning_rate": Range("log", 1e-4, 1e1, 1.0, "weight of each round's model"),
}
LOGISTIC: Ranges = {
    "C": Range("log", 1e-2, 1e2, 1.0, "penalty of errors; larger regularizes less"),
    "intercept_scaling": Range("log", 1e-2, 1e2, 1.0, "value of the constant feature behind the intercept"),
}
RIDGE: Ranges = {
    "alpha": Range("log", 1e-2, 1e2, 1.0, "strength of the penalty"),
    "fit_intercept": Switch(True, "fit an intercept"),
    "normalize": Switch(False, "scale the features to unit length first; only with an intercept"),
    "max_iter": Range("log", 10, 5000, 224, "iterations of the solver at most"),
    "tol": Range("log", 1e-4, 1e-1, 1e-4, "tolerance at which the solver stops"),
}
LASSO: Ranges = {
    **RIDGE,
    "max_iter": Range("log", 10, 5000, 1000, "iterations of the solver at most"),
    "tol": Range("log", 1e-5, 1e-1, 1e-4, "tolerance at which the solver stops"),
    "positive": Switch(False, "allow positive coefficients only"),
}

SHARED: Mapping[str, Ranges] = {
    "kNN": KNN,
    "SVM": SVM,
    "DT": TREE,
    "RF": FOREST,
    "MLP-adam": ADAM,
    "MLP-sgd": SGD,
    "ada": ADA,
}
CLASSIFICATION: Mapping[str, Ranges] = {**SHARED, "lasso": LOGISTIC, "linear": LOGISTIC}
REGRESSION: Mapping[str, Ranges] = {**SHARED, "lasso": LASSO, "linear": RIDGE}


def model_space(name: str, ranges: Ranges, *, warped: bool) -> ConfigurationSpace:
    """The search space of one model.

    Args:
        name: Name of the space.
        ranges: The model's ranges.
        warped: Whether logit ranges are searched as log-odds.
    """
    space = ConfigurationSpace(name=name)
    space.add([_hyperparameter(key, values, warped) for key, values in ranges.items()])
    return space


def unwarped(params: Params) -> Params:
    """The model's hyperparameters, with log-odds converted back to shares."""
    return {
        name.removeprefix(WARPED): logistic(float(value)) if name.startswith(WARPED) else value
        for name, value in params.items()
    }


def _hyperparameter(name: str, values: Range | Switch, warped: bool) -> Hyperparameter[Any, Any]:
    meta: dict[Hashable, Any] = {"description": values.meaning}
    if isinstance(values, Switch):
        return CategoricalHyperparameter(name, (True, False), default_value=values.default, meta=meta)
    scale, lower, upper, default, meaning = values
    if isinstance(lower, int):
        return UniformIntegerHyperparameter(name, lower, int(upper), int(default), log=scale == "log", meta=meta)
    if scale == "logit" and warped:
        meta["description"] = f"log-odds of {name}: {meaning}"
        return UniformFloatHyperparameter(f"{WARPED}{name}", logit(lower), logit(upper), logit(default), meta=meta)
    log = natural_scale(values) == "log"
    return UniformFloatHyperparameter(name, lower, upper, default, log=log, meta=meta)


def natural_scale(values: Range) -> Literal["linear", "log"]:
    """The scale of a range; for a logit range, the nearer of linear and log."""
    if values.scale != "logit":
        return values.scale
    return "linear" if _gap(values, float) <= _gap(values, math.log) else "log"


def _gap(values: Range, scale: Callable[[float], float]) -> float:
    """Greatest difference between the distribution functions of a logit range and of the same range on a scale."""
    places = [values.lower + (values.upper - values.lower) * step / 1000 for step in range(1, 1000)]
    return max(abs(_share(values, logit, place) - _share(values, scale, place)) for place in places)


def _share(values: Range, scale: Callable[[float], float], place: float) -> float:
    return (scale(place) - scale(values.lower)) / (scale(values.upper) - scale(values.lower))


def logit(share: float) -> float:
    """Log-odds of a share in (0, 1)."""
    return math.log(share / (1 - share))


def logistic(odds: float) -> float:
    """The share with these log-odds."""
    return 1 / (1 + math.exp(-odds))
