"""The anytime figures of costs: quality of the incumbent against seconds, tokens, joules and money."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analysis.figures.anytime import blocks
from analysis.figures.figures import Drawings, Sketch
from analysis.figures.panels import Looks, label_panel, legend, looks, mean_line, panels, scale_regret
from analysis.runs.comparison import Comparison
from analysis.stats.axes import Axis, cost_of, scores_at
from analysis.stats.material import Material

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_POINTS = 240
_FEW_TICKS_FROM_RATIO = 100.0
_FREE = "{} (no cost)"
_WHAT = {
    "seconds": "Incumbent against the virtual clock: seconds of asking, calls to language models included, plus "
    "seconds of evaluation as the benchmark measured or tabulated them.",
    "tokens": "Incumbent against prompt and completion tokens.",
    "joules": "Incumbent against the joules attributed to the run's tokens.",
    "money": "Incumbent against the estimated price of the language model, as in the table of estimates.",
}
_READING = (
    " Mean over seeds at equal cost, 95 % bootstrap band; before its first valid trial is paid for, a run has the "
    "regret of the task's worst value, after its last one it keeps its incumbent; a line ends where the last of its "
    "runs ended."
)


def cost_sketches(of: Material) -> tuple[Sketch, ...]:
    """One figure for each kind of cost (``cost_axes``)."""
    return tuple(
        Sketch(f"anytime_{axis.name}", partial(cost_figure, axis=axis), _WHAT[axis.name] + _READING) for axis in of.axes
    )


def cost_figure(of: Material, axis: Axis) -> Figure:
    """Mean normalized regret against a cost, with the panels of the anytime figure.

    A method without cost is a horizontal line at its final mean; one whose cost is unknown is left out.
    """
    shown = blocks(of)
    look_of = looks(of.experiment.methods)
    names = [name for method in of.experiment.methods for name in (method, _FREE.format(method))]
    figure, drawn = panels(len(shown))
    for panel, block in zip(drawn, shown, strict=True):
        _panel(panel, block, axis, look_of)
    legend(figure, drawn, names)
    return figure


def _panel(panel: Axes, block: Comparison, axis: Axis, look_of: Looks) -> None:
    label_panel(panel, block, axis.label)
    tasks = tuple(task.name for task in block.regret_tasks or block.tasks[:1])
    costs = {method: cost_of(axis, method, tasks, block.seeds) for method in block.methods if block.seeds}
    known = {method: found for method, found in costs.items() if found is not None}
    grid = cost_grid([cost for found in known.values() for of_task in found for cost in of_task])
    _scale_costs(panel, grid)
    shown: list[Floats] = []
    for method, found in known.items() if len(grid) else ():
        ends = [float(cost[-1]) for of_task in found for cost in of_task]
        if not any(ends):
            level = scores_at(block, method, found, grid[-1:]).mean(axis=(0, 1))
            if not np.isnan(level).any():
                shown.append(level)
                panel.axhline(level[0], label=_FREE.format(method), **look_of[method])
            continue
        first = max(float(grid[0]), min(float(cost[0]) for of_task in found for cost in of_task))
        costs_shown = np.union1d(grid[(grid > first) & (grid < max(ends))], [first, max(ends)])
        scores = scores_at(block, method, found, costs_shown)
        shown.append(mean_line(panel, scores, method, look_of[method], costs_shown))
    scale_regret(panel, shown, bool(block.regret_tasks))


def _scale_costs(panel: Axes, grid: Floats) -> None:
    """A logarithmic axis, with more tick labels if the costs span a small range."""
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

    wide = len(grid) > 0 and grid[-1] > _FEW_TICKS_FROM_RATIO * grid[0]
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_minor_formatter(NullFormatter())


def cost_grid(costs: list[Floats]) -> Floats:
    """Costs at which curves are compared, evenly spaced on a logarithmic scale; empty if there are no costs.

    They range from just below the first cost to exactly the largest one.
    """
    positive = np.concatenate([cost[cost > 0] for cost in costs]) if costs else np.zeros(0)
    if not len(positive):
        return np.zeros(0)
    return np.geomspace(positive.min() / 1.05, positive.max(), _POINTS)


FIGURE = Drawings(50, cost_sketches)
