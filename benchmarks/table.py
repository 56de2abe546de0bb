"""Benchmarks that look their results up: where a configuration stands in a table, and what stands there."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, OrdinalHyperparameter
from numpy.typing import NDArray

from benchmarks.order_statistics import expected_minima
from benchmarks.table_cache import read_table
from harness.problem import Direction, Objective, Params, Scalar

Levels = Mapping[str, Sequence[Scalar]]
"""Hyperparameter name -> its levels, both in the order of the digits of the table's keys."""


class Grid:
    """Positions of configurations in a table: the levels' indices as the digits of a mixed-radix number.

    Args:
        levels: Levels of each hyperparameter; the first hyperparameter is the most significant digit.
    """

    def __init__(self, levels: Levels) -> None:
        self.sizes = tuple(len(choices) for choices in levels.values())
        strides = [int(stride) for stride in np.cumprod((1, *self.sizes[:0:-1]))[::-1]]
        self._offsets = tuple(
            (name, {level: index * stride for index, level in enumerate(choices)})
            for (name, choices), stride in zip(levels.items(), strides, strict=True)
        )

    def position(self, params: Params) -> int:
        """Row number of a configuration.

        Raises:
            KeyError: A value is none of the levels.
        """
        position = 0
        for name, offsets in self._offsets:
            position += offsets[params[name]]
        return position


class Table:
    """One task's table, reduced to one value a measurement: that of one seed, or the mean over the seeds there are.

    Args:
        family: As ``read_table``.
        task: As ``read_table``.
        sizes: As ``read_table``.
        columns: As ``read_table``; the first one is the objective.
        seed: Number of a seed's column, or None for the mean.

    Raises:
        SettingError: The table cannot be read.
    """

    def __init__(self, family: str, task: str, sizes: Sequence[int], columns: Sequence[str], seed: int | None) -> None:
        values = read_table(family, task, sizes, columns)
        if seed is not None:
            self._rows = values[seed]
        elif np.isnan(values[-1]).any():
            self._rows = np.nanmean(values, axis=0)
        else:
            self._rows = values.mean(axis=0)

    def row(self, position: int) -> list[float]:
        """The measurements of one configuration, builtin floats in the order of the columns."""
        row: list[float] = self._rows[position].tolist()
        return row

    def objective(self, name: str, direction: Direction) -> Objective:
        """The first column as an objective that knows its best and worst value."""
        low, high = float(self._rows[:, 0].min()), float(self._rows[:, 0].max())
        return Objective(name, direction, *((low, high) if direction == "minimize" else (high, low)))

    def random_search_curve(
        self, objective: Objective, evaluations: int, weights: NDArray[np.float64] | None = None
    ) -> list[float]:
        """Exact E[lowest loss of k random configurations], k = 1..evaluations.

        Args:
            objective: What ``objective`` returned.
            evaluations: Length of the curve.
            weights: (configurations,) how likely random search is to draw each row; None where all are equally likely.
        """
        sign = objective.loss(1.0)
        return expected_minima(sign * self._rows[:, 0], evaluations, weights)


def grid_space(name: str, levels: Levels, default: Params, descriptions: Mapping[str, str]) -> ConfigurationSpace:
    """The table's own space: numbers are ordinal, words categorical.

    The default of every hyperparameter is given: ConfigSpace would take the first level of an ordinal one.
    """
    space = ConfigurationSpace(name=name)
    for key, choices in levels.items():
        meta: dict[Hashable, Any] = {"description": descriptions[key]}
        if isinstance(choices[0], str):
            space.add(CategoricalHyperparameter(key, choices, default_value=default[key], meta=meta))
        else:
            space.add(OrdinalHyperparameter(key, choices, default_value=default[key], meta=meta))
    return space
