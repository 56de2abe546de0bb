"""How likely random search is to draw each configuration of a finite space that has conditions or weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, UniformIntegerHyperparameter
from numpy.typing import NDArray


def draw_weights(space: ConfigurationSpace, digits: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float64] | None:
    """(configurations,) how likely ConfigSpace is to draw each, up to a factor; None where that is not known.

    It draws every hyperparameter by itself, drops the inactive ones, and draws again what a clause forbids.
    """
    weights = np.ones(len(next(iter(digits.values()))))
    for name, positions in digits.items():
        hyperparameter = space[name]
        if isinstance(hyperparameter, UniformIntegerHyperparameter) and hyperparameter.log:
            return None
        if isinstance(hyperparameter, CategoricalHyperparameter):
            shares = np.asarray(hyperparameter.probabilities, dtype=np.float64)
        else:
            size = int(hyperparameter.size)
            shares = np.full(size, 1 / size)
        weights *= np.append(shares, 1.0)[positions]
    return weights
