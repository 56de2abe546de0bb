"""Probabilities with which random search draws each configuration of a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from ConfigSpace import ConfigurationSpace, UniformIntegerHyperparameter
from numpy.typing import NDArray

from benchmarks.lookup.nearest import level_shares
from harness.levels import known_levels


def draw_weights(space: ConfigurationSpace, digits: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float64] | None:
    """(configurations,) probability that ConfigSpace draws each, up to a factor; None if unknown.

    ConfigSpace draws hyperparameters independently, drops inactive ones, and redraws forbidden configurations.
    """
    weights = np.ones(len(next(iter(digits.values()))))
    for name, positions in digits.items():
        hyperparameter = space[name]
        whole = isinstance(hyperparameter, UniformIntegerHyperparameter) and known_levels(hyperparameter) is None
        if whole and hyperparameter.log:  # type: ignore[attr-defined]
            return None
        weights *= np.append(level_shares(hyperparameter), 1.0)[positions]
    return weights
