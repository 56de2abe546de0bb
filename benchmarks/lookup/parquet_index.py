"""Look up evaluations of a table in microseconds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lookup.parquet_arrays import Columns, read
from harness.choices import key_of
from harness.problem import Params


class ParquetIndex:
    """Index of a table's file.

    Args:
        file: A file with these columns and ``seed``.
        columns: The columns to read.

    Raises:
        SettingError: The file is damaged, or lacks these columns and levels.
    """

    def __init__(self, file: Path, columns: Columns) -> None:
        arrays = read(file, columns)
        self.seeds, self.measures = arrays.seeds, arrays.measures
        self._codes, self._values, self._reasons = arrays.codes, arrays.values, arrays.reasons
        self._columns = columns
        self._radix = tuple(
            (name, len(levels) + 1, len(levels), {key_of(level): digit for digit, level in enumerate(levels)})
            for name, levels in columns.hyperparameters.items()
        )
        self._rows = arrays.codes.tolist()

    def row(self, params: Params) -> int:
        """Number of a configuration.

        Raises:
            KeyError: The configuration is not in the file.
        """
        code = 0
        for name, size, inactive, digits in self._radix:
            code = code * size + (digits[key_of(params[name])] if name in params else inactive)
        row = bisect_left(self._rows, code)
        if row == len(self._rows) or self._rows[row] != code:
            raise KeyError(code)
        return row

    def level(self, positions: Sequence[int]) -> int:
        """Number of a fidelity level, from the positions of its values in each fidelity's levels."""
        level = 0
        for position, levels in zip(positions, self._columns.fidelities.values(), strict=True):
            level = level * len(levels) + position
        return level

    def values(self, row: int, level: int, seed: int | None) -> list[float]:
        """The measures of one evaluation; NaN if not measured.

        Args:
            row: Result of ``row``.
            level: Result of ``level``.
            seed: One of ``seeds``; None for their mean, which is NaN if one of them is.
        """
        found: list[float] = self._values[self._position(seed), level, row].tolist()
        return found

    def reason(self, row: int, level: int, seed: int | None) -> str | None:
        """Why an evaluation failed (for a mean: the first failure), or None."""
        positions = range(len(self.seeds)) if seed is None else (self._position(seed),)
        found = (self._reasons.get(f"{position},{level},{row}") for position in positions)
        return next((reason for reason in found if reason is not None), None)

    def highest(self, seed: int | None) -> NDArray[np.float64]:
        """(configurations, measures) at the highest fidelity; arguments as ``values``."""
        found: NDArray[np.float64] = self._values[self._position(seed), -1]
        return found

    def digits(self) -> dict[str, NDArray[np.int64]]:
        """Hyperparameter -> (configurations,) index of its level; its number of levels if inactive."""
        found, rest = {}, self._codes
        for name, size, _, _ in reversed(self._radix):
            found[name], rest = rest % size, rest // size
        return found

    def _position(self, seed: int | None) -> int:
        return len(self.seeds) if seed is None else self.seeds.index(seed)
