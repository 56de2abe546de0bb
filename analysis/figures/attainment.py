"""Figures of several objectives: median attainment, and hypervolume after each proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analysis.figures.figures import Drawings, Sketch
from analysis.figures.panels import Looks, legend, looks, mean_line, panels
from analysis.stats.fronts import Fronts, fronts
from analysis.stats.material import Material
from analysis.stats.pareto import attainment_surface, front

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_LOG_FROM_RATIO = 30.0  # seconds and sizes may span decades


def attainment_sketches(of: Material) -> tuple[Sketch, ...]:
    """Both figures, if a task has several objectives."""
    if all(len(task.objectives) == 1 for task in of.experiment.tasks.values()):
        return ()
    return (
        Sketch(
            "attainment",
            attainment_figure,
            "The first two objectives as reported. Line: attained by at least half of a method's runs (median "
            "empirical attainment surface). Points: the final front of each run.",
            whole=False,
        ),
        Sketch(
            "hypervolume",
            hypervolume_figure,
            "Hypervolume after each proposal, invalid ones included: mean over seeds, 95 % bootstrap band. "
            "Scales and reference point as in the table of Pareto fronts.",
        ),
    )


def attainment_figure(of: Material) -> Figure:
    """Median attainment surface of each method in the first two objectives; each run's final front as faint points."""
    found = fronts(of.experiment, of.comparison)
    look_of = looks(of.experiment.methods)
    figure, axes = panels(len(found))
    for axis, task in zip(axes, found, strict=True):
        _attainment_panel(axis, task, look_of)
    legend(figure, axes, look_of)
    return figure


def hypervolume_figure(of: Material) -> Figure:
    """Mean hypervolume after each proposal with a bootstrap band, one panel per task."""
    from matplotlib.ticker import MaxNLocator

    found = fronts(of.experiment, of.comparison)
    look_of = looks(of.experiment.methods)
    figure, axes = panels(len(found))
    for axis, task in zip(axes, found, strict=True):
        axis.set_title(task.task.name, loc="left")
        axis.set_xlabel("proposals")
        axis.set_ylabel("hypervolume")
        axis.grid(True, axis="y")
        for method in task.block.methods if task.block.seeds else ():
            mean_line(axis, task.curves(method)[:, None, :], method, look_of[method])
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.margins(x=0.01)
        axis.set_ylim(bottom=0)
    legend(figure, axes, look_of)
    return figure


def _attainment_panel(axis: Axes, found: Fronts, look_of: Looks) -> None:
    first, second = found.task.objectives[:2]
    axis.set_title(found.task.name, loc="left")
    axis.set_xlabel(f"{first.name} ({first.direction})")
    axis.set_ylabel(f"{second.name} ({second.direction})")
    axis.grid(True)
    methods = found.block.methods if found.block.seeds else ()
    of_runs = {method: [front(points[:, :2]) for points in found.of(method)] for method in methods}
    shown = {method: _as_reported(found, np.vstack(runs)) for method, runs in of_runs.items()}
    for method, points in shown.items():
        axis.scatter(points[:, 0], points[:, 1], s=9, color=look_of[method]["color"], alpha=0.3, linewidth=0)
    _log_where_wide(axis, np.vstack([np.empty((0, 2)), *shown.values()]))
    worst = _worst_corner(axis, found)
    for method, runs in of_runs.items():
        surface = _as_reported(found, attainment_surface(runs))
        if len(surface):
            x, y = staircase(surface, worst)
            axis.plot(x, y, label=method, **look_of[method])


def staircase(surface: Floats, worst: tuple[float, float]) -> tuple[Floats, Floats]:
    """The border of the attained region, as x and y of a path.

    Args:
        surface: Shape (points, 2), from the best first objective to the worst; as reported.
        worst: End of the border in each objective.
    """
    x = np.append(np.repeat(surface[:, 0], 2), worst[0])
    y = np.insert(np.repeat(surface[:, 1], 2), 0, worst[1])
    return x, y


def _as_reported(found: Fronts, losses: Floats) -> Floats:
    return np.stack([found.task.values(losses[:, number], number) for number in (0, 1)], axis=1)


def _log_where_wide(axis: Axes, points: Floats) -> None:
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    sides = (axis.set_xscale, axis.xaxis), (axis.set_yscale, axis.yaxis)
    for (set_scale, side), numbers in zip(sides, points.T, strict=True):
        if len(numbers) and numbers.min() > 0 and numbers.max() / numbers.min() > _LOG_FROM_RATIO:
            set_scale("log")
            side.set_major_formatter(StrMethodFormatter("{x:g}"))
            side.set_minor_formatter(NullFormatter())


def _worst_corner(axis: Axes, found: Fronts) -> tuple[float, float]:
    """Fix the panel's limits on the side of the worst values, and return them."""
    limits = axis.get_xlim(), axis.get_ylim()
    axis.set(xlim=limits[0], ylim=limits[1])
    ends = zip(limits, found.task.objectives, strict=False)
    first, second = [high if objective.direction == "minimize" else low for (low, high), objective in ends]
    return float(first), float(second)


FIGURE = Drawings(40, attainment_sketches)
