"""What figures with one panel a task share: their grid, a look for each method, mean lines with bands, one legend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from analysis.statistics import bootstrap_band

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
Looks = dict[str, dict[str, Any]]

# Okabe & Ito (2008) without yellow and black; then again with other dashes
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES = ("solid", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))


def looks(methods: tuple[str, ...]) -> Looks:
    """Colour and dashes of each method, the same in every panel and figure."""
    count = len(_COLOURS)
    return {
        method: {"color": _COLOURS[i % count], "linestyle": _DASHES[i // count % len(_DASHES)]}
        for i, method in enumerate(methods)
    }


def panels(count: int, names: Iterable[str]) -> tuple[Figure, list[Axes]]:
    """A figure with as many panels and room for a legend of these names."""
    from matplotlib.figure import Figure

    listed = list(names)
    columns = min(count, 2 if count == 4 else 3)
    rows = math.ceil(count / columns)
    legend_rows = math.ceil((len(listed) + 1) / _legend_columns(listed))
    size = max(6.4, 3.7 * columns), 2.9 * rows + 0.22 * legend_rows + 0.35
    figure = Figure(figsize=size, layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flatten())
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes[:count]


def legend(figure: Figure, axes: list[Axes], names: Iterable[str], last: tuple[str, ...] = ()) -> None:
    """One legend below all panels: the names that were drawn, in this order, then ``last``."""
    listed = list(names)
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    order = [name for name in (*listed, *last) if name in handles]
    figure.legend(
        [handles[name] for name in order],
        order,
        loc="outside lower center",
        ncols=_legend_columns(listed),
        handlelength=2.6,
    )


def mean_line(axis: Axes, scores: Floats, method: str, look: dict[str, Any]) -> Floats:
    """Draw the mean after each proposal with its bootstrap band, shape (runs, tasks, proposals); gaps where unknown.

    Returns:
        The mean, shape (proposals,).
    """
    centre: Floats = scores.mean(axis=(0, 1))
    lower, upper = bootstrap_band(scores, np.random.default_rng(0))
    steps = np.arange(1, len(centre) + 1)
    axis.fill_between(steps, lower, upper, step="mid", color=look["color"], alpha=0.16, linewidth=0)
    axis.step(steps, centre, where="mid", label=method, **look)
    return centre


def _legend_columns(names: list[str]) -> int:
    return 1 if max(map(len, names)) > 60 else 2
