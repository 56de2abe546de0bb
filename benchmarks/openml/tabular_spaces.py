"""The search spaces of family openml, one per model.

Ranges are ours; they cover those of scikit-learn's user guide and of HPOBench. Defaults are scikit-learn's (XGBoost's)
if those are numbers in the range; the others are marked ``ours``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from ConfigSpace import ConfigurationSpace, EqualsCondition, InCondition, NotEqualsCondition
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Hyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)


def _say(text: str) -> dict[Hashable, Any]:
    return {"description": text}


def _log(name: str, low: float, high: float, default: float, text: str) -> UniformFloatHyperparameter:
    return UniformFloatHyperparameter(name, low, high, default, log=True, meta=_say(text))


def _linear(name: str, low: float, high: float, default: float, text: str) -> UniformFloatHyperparameter:
    return UniformFloatHyperparameter(name, low, high, default, meta=_say(text))


def _count(name: str, low: int, high: int, default: int, text: str, log: bool = True) -> UniformIntegerHyperparameter:
    return UniformIntegerHyperparameter(name, low, high, default, log=log, meta=_say(text))


def _choice(name: str, choices: tuple[Any, ...], text: str) -> CategoricalHyperparameter:
    """A categorical hyperparameter whose first choice is the default."""
    return CategoricalHyperparameter(name, choices, default_value=choices[0], meta=_say(text))


def _space(*parts: Hyperparameter[Any, Any] | Any) -> ConfigurationSpace:
    space = ConfigurationSpace()
    space.add(*parts)
    return space


def _svm_space(regression: bool) -> ConfigurationSpace:
    kernel = _choice("kernel", ("rbf", "linear", "poly", "sigmoid"), "kernel")
    gamma = _log("gamma", 2**-10, 2**10, 0.1, "coefficient of the kernel")  # HPOBench's range and default
    degree = _count("degree", 2, 5, 3, "degree of the polynomial kernel", log=False)
    epsilon = [_log("epsilon", 1e-3, 1.0, 0.1, "errors below this, in deviations of the target, cost nothing")]
    return _space(
        _log("C", 2**-10, 2**10, 1.0, "inverse strength of the penalty"),
        kernel,
        gamma,
        degree,
        *(epsilon if regression else []),
        InCondition(gamma, kernel, ["rbf", "poly", "sigmoid"]),
        EqualsCondition(degree, kernel, "poly"),
    )


def _sgd_space(regression: bool) -> ConfigurationSpace:
    penalty = _choice("penalty", ("l2", "l1", "elasticnet"), "kind of penalty")
    ratio = _linear("l1_ratio", 0.0, 1.0, 0.15, "share of l1 in the elastic net")
    schedules = ("invscaling", "optimal", "adaptive") if regression else ("optimal", "invscaling", "adaptive")
    schedule = _choice("learning_rate", schedules, "schedule of the learning rate")
    eta0 = _log("eta0", 1e-5, 1.0, 0.01, "initial learning rate")
    return _space(
        _log("alpha", 1e-7, 1.0, 1e-4, "strength of the penalty"),
        penalty,
        ratio,
        schedule,
        eta0,
        _choice("average", (False, True), "average the weights over the steps"),
        EqualsCondition(ratio, penalty, "elasticnet"),
        NotEqualsCondition(eta0, schedule, "optimal"),
    )


def _forest_space(regression: bool) -> ConfigurationSpace:
    bootstrap = _choice("bootstrap", (True, False), "draw the rows of each tree with replacement")
    share = _linear("max_samples", 0.1, 1.0, 1.0, "rows drawn for each tree, as a share")
    criterion = [] if regression else [_choice("criterion", ("gini", "entropy"), "what a split is judged by")]
    return _space(
        *criterion,
        _count("max_depth", 1, 50, 50, "greatest depth of a tree"),  # ours: scikit-learn sets no limit
        _linear("max_features", 0.05, 1.0, 0.5, "features tried at each split, as a share"),  # ours
        _count("min_samples_split", 2, 128, 2, "rows a node needs to be split"),
        _count("min_samples_leaf", 1, 64, 1, "rows a leaf needs"),
        bootstrap,
        share,
        EqualsCondition(share, bootstrap, True),
    )


def _boosting_space(regression: bool) -> ConfigurationSpace:
    return _space(
        _log("learning_rate", 0.01, 1.0, 0.1, "weight of each tree"),
        _count("max_leaf_nodes", 3, 255, 31, "leaves of a tree at most"),
        _count("min_samples_leaf", 1, 200, 20, "rows a leaf needs"),
        _log("l2_regularization", 1e-10, 100.0, 1e-10, "strength of the L2 penalty"),  # scikit-learn's is 0
        _linear("max_features", 0.1, 1.0, 1.0, "features tried at each split, as a share"),
    )


def _mlp_space(regression: bool) -> ConfigurationSpace:
    solver = _choice("solver", ("adam", "sgd"), "solver")
    momentum = _linear("momentum", 0.0, 0.99, 0.9, "momentum of the solver sgd")
    return _space(
        _count("depth", 1, 3, 1, "number of hidden layers", log=False),
        _count("width", 8, 512, 100, "units in every hidden layer"),
        _choice("activation", ("relu", "tanh", "logistic"), "activation of the hidden layers"),
        solver,
        momentum,
        _log("learning_rate_init", 1e-5, 1.0, 1e-3, "initial learning rate"),
        _log("alpha", 1e-8, 1.0, 1e-4, "strength of the L2 penalty"),
        _count("batch_size", 8, 256, 200, "examples per mini-batch"),
        EqualsCondition(momentum, solver, "sgd"),
    )


def _knn_space(regression: bool) -> ConfigurationSpace:
    metric = _choice("metric", ("minkowski", "chebyshev", "cosine"), "distance")
    power = _count("p", 1, 5, 2, "power of the Minkowski distance", log=False)
    return _space(
        _count("n_neighbors", 1, 50, 5, "neighbours asked"),
        _choice("weights", ("uniform", "distance"), "weight of a neighbour"),
        metric,
        power,
        EqualsCondition(power, metric, "minkowski"),
    )


def _xgboost_space(regression: bool) -> ConfigurationSpace:
    growth = _choice("grow_policy", ("depthwise", "lossguide"), "which leaf is split next")
    leaves = _count("max_leaves", 2, 255, 31, "leaves of a tree at most")  # ours: XGBoost sets no limit
    return _space(
        _log("eta", 2**-10, 1.0, 0.3, "weight of each tree"),
        _count("max_depth", 1, 50, 6, "greatest depth of a tree"),
        _log("min_child_weight", 0.1, 128.0, 1.0, "weight a leaf needs"),
        _linear("colsample_bytree", 0.1, 1.0, 1.0, "features of each tree, as a share"),
        _log("reg_lambda", 2**-10, 2**10, 1.0, "strength of the L2 penalty"),
        growth,
        leaves,
        EqualsCondition(leaves, growth, "lossguide"),
    )


SPACES: dict[str, Callable[[bool], ConfigurationSpace]] = {
    "svm": _svm_space,
    "logistic_regression": _sgd_space,
    "linear": _sgd_space,
    "random_forest": _forest_space,
    "gradient_boosting": _boosting_space,
    "mlp": _mlp_space,
    "knn": _knn_space,
    "xgboost": _xgboost_space,
}
"""Model -> builder of its space, given whether the task is a regression."""


def search_space(name: str, model: str, regression: bool) -> ConfigurationSpace:
    """A new, named space for one of the ``SPACES``."""
    space = SPACES[model](regression)
    space.name = name
    return space
