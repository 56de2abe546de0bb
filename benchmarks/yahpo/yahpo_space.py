"""YAHPO Gym's scenarios: inputs and outputs of the surrogates, directions, fidelities, and search spaces.

The order of inputs and outputs is only in YAHPO Gym's code (``yahpo_gym/benchmarks/*.py``, v1); ranges, defaults,
conditions and instances are read from each scenario's ``config_space.json``.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ConfigSpace import ConfigurationSpace, EqualsCondition, InCondition
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Hyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from harness.problem import Direction, Fidelity


class Scenario(NamedTuple):
    """One model on many instances.

    Attributes:
        instance: Input that names the data set; the first categorical input.
        categories: The other categorical inputs, in order.
        numbers: Numeric inputs, in order, including fidelities.
        targets: Outputs in order, each with its direction.
        objective: The default objective, that of YAHPO's single-objective suite.
        fidelities: Inputs that are not hyperparameters.
        seconds: Targets whose sum is the predicted cost of an evaluation.
        model: The tuned model, in words.
        data: The kind of instance, in words.
    """

    instance: str
    categories: tuple[str, ...]
    numbers: tuple[str, ...]
    targets: Mapping[str, Direction]
    objective: str
    fidelities: tuple[str, ...]
    seconds: tuple[str, ...]
    model: str
    data: str


RBV2: Mapping[str, Direction] = {
    "acc": "maximize",
    "bac": "maximize",
    "auc": "maximize",
    "brier": "minimize",
    "f1": "maximize",
    "logloss": "minimize",
    "timetrain": "minimize",
    "timepredict": "minimize",
    "memory": "minimize",
}
"""YAHPO Gym lists f1 as minimized, but F1 is maximized."""

SCENARIOS: Mapping[str, Scenario] = {
    "lcbench": Scenario(
        instance="OpenML_task_id",
        categories=(),
        numbers=(
            "epoch",
            "batch_size",
            "learning_rate",
            "momentum",
            "weight_decay",
            "num_layers",
            "max_units",
            "max_dropout",
        ),
        targets={
            "time": "minimize",
            "val_accuracy": "maximize",
            "val_cross_entropy": "minimize",
            "val_balanced_accuracy": "maximize",
            "test_cross_entropy": "minimize",
            "test_balanced_accuracy": "maximize",
        },
        objective="val_accuracy",
        fidelities=("epoch",),
        seconds=("time",),
        model="funnel-shaped feed-forward network of Auto-PyTorch, trained with SGD for at most 52 epochs,",
        data="OpenML task",
    ),
    "rbv2_xgboost": Scenario(
        instance="task_id",
        categories=("booster", "num.impute.selected.cpo"),
        numbers=(
            "nrounds",
            "eta",
            "gamma",
            "lambda",
            "alpha",
            "subsample",
            "max_depth",
            "min_child_weight",
            "colsample_bytree",
            "colsample_bylevel",
            "rate_drop",
            "skip_drop",
            "trainsize",
            "repl",
        ),
        targets=RBV2,
        objective="acc",
        fidelities=("trainsize", "repl"),
        seconds=("timetrain", "timepredict"),
        model="classifier XGBoost",
        data="OpenML data set",
    ),
    "rbv2_rpart": Scenario(
        instance="task_id",
        categories=("num.impute.selected.cpo",),
        numbers=("cp", "maxdepth", "minbucket", "minsplit", "trainsize", "repl"),
        targets=RBV2,
        objective="acc",
        fidelities=("trainsize", "repl"),
        seconds=("timetrain", "timepredict"),
        model="classification tree of R's rpart",
        data="OpenML data set",
    ),
    "iaml_glmnet": Scenario(
        instance="task_id",
        categories=(),
        numbers=("alpha", "s", "trainsize"),
        targets={
            "mmce": "minimize",
            "f1": "maximize",
            "auc": "maximize",
            "logloss": "minimize",
            "ramtrain": "minimize",
            "rammodel": "minimize",
            "rampredict": "minimize",
            "timetrain": "minimize",
            "timepredict": "minimize",
            "mec": "minimize",
            "ias": "minimize",
            "nf": "minimize",
        },
        objective="mmce",
        fidelities=("trainsize",),
        seconds=("timetrain", "timepredict"),
        model="logistic regression with an elastic net penalty of R's glmnet",
        data="OpenML data set",
    ),
}

MEANINGS = {
    "lcbench": {
        "batch_size": "examples per mini-batch",
        "learning_rate": "initial learning rate of SGD",
        "max_dropout": "dropout rate",
        "max_units": "units in the first hidden layer",
        "momentum": "momentum of SGD",
        "num_layers": "number of hidden layers",
        "weight_decay": "weight decay",
    },
    "rbv2_xgboost": {
        "alpha": "L1 penalty on weights",
        "booster": "what is boosted: trees, trees with dropout, or a linear model",
        "colsample_bylevel": "share of the features drawn at each level",
        "colsample_bytree": "share of the features drawn for each tree",
        "eta": "learning rate",
        "gamma": "decrease of loss that a split must bring",
        "lambda": "L2 penalty on weights",
        "max_depth": "depth of a tree at most",
        "min_child_weight": "weight in a child at least",
        "nrounds": "boosting rounds",
        "num.impute.selected.cpo": "what missing numbers are replaced by",
        "rate_drop": "share of the trees that dropout leaves out",
        "skip_drop": "probability that a round has no dropout",
        "subsample": "share of the rows drawn in a round",
    },
    "rbv2_rpart": {
        "cp": "complexity parameter: improvement that a split must bring",
        "maxdepth": "depth of the tree at most",
        "minbucket": "rows in a leaf at least",
        "minsplit": "rows that a node needs to be split",
        "num.impute.selected.cpo": "what missing numbers are replaced by",
    },
    "iaml_glmnet": {
        "alpha": "mix of the penalties: L2 at the lower end, L1 at the upper",
        "s": "strength of the penalty",
    },
}
Raw = Mapping[str, Any]


class Description(NamedTuple):
    """Contents of a scenario's ``config_space.json``."""

    instances: tuple[str, ...]
    fidelities: tuple[Fidelity, ...]
    hyperparameters: tuple[Raw, ...]
    conditions: tuple[Raw, ...]


def read_description(file: Path, scenario: Scenario) -> Description:
    """Read a ``config_space.json`` in the format of ConfigSpace 0.4.

    Raises:
        OSError: The file cannot be read.
        ValueError, KeyError: It has another format.
    """
    whole = json.loads(file.read_text(encoding="utf-8"))
    known = {raw["name"]: raw for raw in whole["hyperparameters"]}
    outside = {scenario.instance, *scenario.fidelities}
    return Description(
        tuple(known[scenario.instance]["choices"]),
        tuple(_fidelity(known[name]) for name in scenario.fidelities),
        tuple(raw for name, raw in known.items() if name not in outside),
        tuple(whole["conditions"]),
    )


def search_space(name: str, description: Description, meanings: Mapping[str, str]) -> ConfigurationSpace:
    """The hyperparameters and conditions, without instance and fidelities."""
    space = ConfigurationSpace(name=name)
    space.add([_hyperparameter(raw, meanings[raw["name"]]) for raw in description.hyperparameters])
    for raw in description.conditions:
        child, parent = space[raw["child"]], space[raw["parent"]]
        if raw["type"] == "EQ":
            space.add(EqualsCondition(child, parent, raw["value"]))
        else:
            space.add(InCondition(child, parent, raw["values"]))
    return space


def _fidelity(raw: Raw) -> Fidelity:
    return Fidelity(raw["name"], raw["lower"], raw["upper"], integer=raw["type"] == "uniform_int")


def _hyperparameter(raw: Raw, meaning: str) -> Hyperparameter[Any, Any]:
    meta: dict[Hashable, Any] = {"description": meaning}
    if raw["type"] == "categorical":
        return CategoricalHyperparameter(raw["name"], raw["choices"], default_value=raw["default"], meta=meta)
    kind = UniformIntegerHyperparameter if raw["type"] == "uniform_int" else UniformFloatHyperparameter
    return kind(raw["name"], raw["lower"], raw["upper"], raw["default"], log=raw["log"], meta=meta)
