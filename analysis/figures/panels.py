"""Shared by figures with one panel per task: the grid, a style per method, mean lines with bands, the legend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from analysis.runs.comparison import Comparison
from analysis.stats.statistics import bootstrap_band

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
Looks = dict[str, dict[str, Any]]

# Okabe & Ito (2008) without yellow and black; then again with other dashes
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES = ("solid", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
_INCHES_A_LETTER, _LETTERS_A_HANDLE = 0.075, 8
_LOG_FROM_RATIO = 12.0  # a linear axis hides the lower curves when the spread is larger than this


def looks(methods: tuple[str, ...]) -> Looks:
    """Colour and dashes of each method, the same in every panel and figure."""
    count = len(_COLOURS)
    return {
        method: {"color": _COLOURS[i % count], "linestyle": _DASHES[i // count % len(_DASHES)]}
        for i, method in enumerate(methods)
    }


def panels(count: int) -> tuple[Figure, list[Axes]]:
    """A figure with a number of panels; ``legend`` adds its own space."""
    from matplotlib.figure import Figure

    columns = min(count, 2 if count == 4 else 3)
    rows = math.ceil(count / columns)
    figure = Figure(figsize=(max(6.4, 3.7 * columns), 2.9 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flatten())
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes[:count]


def legend(figure: Figure, axes: list[Axes], names: Iterable[str], last: tuple[str, ...] = ()) -> None:
    """One legend below all panels: the drawn names in this order, then ``last``.

    A method without a line in any panel is listed with the reason.
    """
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    labels = [[name, *(words.format(name) for words in _WITHOUT_LINE)] for name in (*names, *last)]
    order = [found[0] for each in labels if (found := [label for label in each if label in handles])]
    width, height = figure.get_size_inches()
    columns = max(1, min(4, int(width / (_INCHES_A_LETTER * (max(map(len, order), default=0) + _LETTERS_A_HANDLE)))))
    figure.set_size_inches(width, height + 0.35 + 0.22 * math.ceil(len(order) / columns))
    figure.legend(
        [handles[name] for name in order],
        order,
        loc="outside lower center",
        ncols=columns,
        handlelength=2.6,
    )


_WITHOUT_LINE = ("{} (nothing at the highest fidelity)", "{} (a run without any result)")
"""Legend texts of a method without a line: none of its runs, or not all of them, measured anything."""


def mean_line(axis: Axes, scores: Floats, method: str, look: dict[str, Any], costs: Floats | None = None) -> Floats:
    """Draw the mean with its bootstrap band. Unknown parts are gaps; if all is unknown, the legend says so.

    Args:
        axis: The axis to draw on.
        scores: Shape (runs, tasks, points).
        method: Name of the line.
        look: Colour and dashes.
        costs: Positions of the points, shape (points,), as a step function; None for one point per proposal.

    Returns:
        The mean, shape (points,).
    """
    centre: Floats = scores.mean(axis=(0, 1))
    if np.isnan(centre).all():
        axis.plot([], [], " ", label=_WITHOUT_LINE[0 if np.isnan(scores).all() else 1].format(method))
        return centre
    lower, upper = bootstrap_band(scores)
    steps = np.arange(1, len(centre) + 1) if costs is None else costs
    where: Any = "mid" if costs is None else "post"
    axis.fill_between(steps, lower, upper, step=where, color=look["color"], alpha=0.16, linewidth=0)
    axis.step(steps, centre, where=where, label=method, **look)
    return centre


def label_panel(axis: Axes, block: Comparison, costs: str) -> None:
    """Set title and labels of a panel of incumbents against costs, for one task or the mean of several."""
    one = block.tasks[0] if len(block.tasks) == 1 else None
    axis.set_title(one.name if one else f"mean of {len(block.regret_tasks)} tasks", loc="left")
    axis.set_xlabel(costs)
    axis.set_ylabel("normalized regret" if block.regret_tasks or one is None else f"best {one.objective}")
    axis.grid(True, axis="y")


def scale_regret(axis: Axes, shown: list[Floats], regret: bool) -> None:
    """Scale from zero, or logarithmically for a wide spread; reported values keep their own scale."""
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    axis.margins(x=0.01)
    numbers = np.concatenate(shown) if shown else np.zeros(0)
    positive = numbers[np.isfinite(numbers) & (numbers > 0)]
    if not regret or not len(positive):
        return
    if positive.max() / positive.min() < _LOG_FROM_RATIO:
        axis.set_ylim(bottom=0)
        return
    axis.set_yscale("log")
    axis.set_ylim(bottom=positive.min() / 2)  # a curve that reaches the optimum leaves the panel
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
