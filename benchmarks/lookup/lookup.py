"""Tabular benchmarks: position of a configuration in a table, and its measurements."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace, OrdinalHyperparameter
from numpy.typing import NDArray

from benchmarks.lookup.order_statistics import expected_minima, quantiles
from benchmarks.lookup.table_cache import read_table
from benchmarks.shared.measures import chosen, outcome
from harness.problem import Direction, Objective, Outcome, Params, Scalar

Measures = Mapping[str, tuple[str, Direction]]
"""Measures of a table: reported name -> the package's column and direction."""

Levels = Mapping[str, Sequence[Scalar]]
"""Hyperparameter name -> levels, in the order of the digits of the table's keys."""


class Grid:
    """Positions of configurations in a table: level indices are the digits of a mixed-radix number.

    Args:
        levels: Levels of each hyperparameter; the first one is the most significant digit.
    """

    def __init__(self, levels: Levels) -> None:
        self.names = tuple(levels)
        self.sizes = tuple(len(choices) for choices in levels.values())
        strides = [int(stride) for stride in np.cumprod((1, *self.sizes[:0:-1]))[::-1]]
        self._offsets = tuple(
            (name, {level: index * stride for index, level in enumerate(choices)})
            for (name, choices), stride in zip(levels.items(), strides, strict=True)
        )

    def position(self, params: Params) -> int:
        """Row number of a configuration.

        Raises:
            KeyError: A value is not one of the levels.
        """
        position = 0
        for name, offsets in self._offsets:
            position += offsets[params[name]]
        return position


class Table:
    """One task's table with one value per measurement: that of one seed, or the mean over the available seeds.

    Args:
        family: As ``read_table``.
        task: As ``read_table``.
        sizes: As ``read_table``.
        measures: The table's columns; ``train_seconds`` is the cost of an evaluation.
        seed: Number of a seed's column, or None for the mean.

    Raises:
        SettingError: The table cannot be read.
    """

    def __init__(self, family: str, task: str, sizes: Sequence[int], measures: Measures, seed: int | None) -> None:
        values = read_table(family, task, sizes, [column for column, _ in measures.values()])
        self._names = tuple(measures)
        self._directions = {name: direction for name, (_, direction) in measures.items()}
        if seed is not None:
            self._rows = values[seed]
        elif np.isnan(values[-1]).any():
            self._rows = np.nanmean(values, axis=0)
        else:
            self._rows = values.mean(axis=0)

    def outcome(self, position: int, objectives: Sequence[Objective]) -> Outcome:
        """The measurements of one configuration: objectives as losses, the others as metrics."""
        measured = dict(zip(self._names, self._rows[position].tolist(), strict=True))
        return outcome(measured, objectives, measured["train_seconds"])

    def objectives(self, names: Sequence[str] | None, family: str) -> tuple[Objective, ...]:
        """The chosen objectives, each with its best and worst value.

        Raises:
            SettingError: As ``benchmarks.shared.measures.chosen``.
        """
        return chosen(names, {name: self._objective(name) for name in self._names}, family)

    def _objective(self, name: str) -> Objective:
        column, direction = self._column(name), self._directions[name]
        low, high = float(column.min()), float(column.max())
        return Objective(name, direction, *((low, high) if direction == "minimize" else (high, low)))

    def random_search_curve(
        self, objective: Objective, evaluations: int, weights: NDArray[np.float64] | None = None
    ) -> list[float]:
        """Exact E[lowest loss of k random configurations], k = 1..evaluations.

        Args:
            objective: One of ``objectives``.
            evaluations: Length of the curve.
            weights: (configurations,) probability weights of the rows; None if all are equally likely.
        """
        return expected_minima(self._losses(objective), evaluations, weights)

    def loss_quantiles(
        self, objective: Objective, count: int, weights: NDArray[np.float64] | None = None
    ) -> list[float]:
        """Exact losses at ``count`` equally spaced shares of the draws of random search, lowest first.

        Args:
            objective: One of ``objectives``.
            count: At least 2.
            weights: As for ``random_search_curve``.
        """
        return quantiles(self._losses(objective), count, weights)

    def _losses(self, objective: Objective) -> NDArray[np.float64]:
        return objective.loss(1.0) * self._column(objective.name)

    def _column(self, name: str) -> NDArray[np.float64]:
        column: NDArray[np.float64] = self._rows[:, self._names.index(name)]
        return column


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
