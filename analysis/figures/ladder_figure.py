"""The figure of models by size: faults, quality and cost against the number of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.figures.figures import INK, Drawings, Sketch
from analysis.figures.panels import Looks, looks, panels, scale_regret
from analysis.figures.panels import legend as legend_below
from analysis.stats.material import Material
from analysis.tables.ladder import Rung, lines, rungs
from harness.faults import Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CAPTION = (
    "The same methods with models of several sizes, against the number of parameters (logarithmic): shares of "
    "proposals by group of faults, the mean of the final incumbents for each kind of task with the controls as "
    "horizontal lines, and the cost per proposal. Bars and bands are 95 % bootstrap intervals; points of the same "
    "size are slightly shifted."
)
_MARKERS = "osD^vP"
_APART = 1.035
"""Horizontal factor between neighbouring lines at one size."""
_CONTROL_DASHES: tuple[Any, ...] = ((0, (6, 2)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)), "solid")
_COSTS = {"tokens": "tokens per proposal", "proposal_seconds": "seconds per proposal"}


def ladder_sketches(of: Material) -> tuple[Sketch, ...]:
    """The figure, if there are at least two sizes."""
    return (Sketch("ladder", ladder_figure, _CAPTION, whole=False),) if rungs(of.experiment, of.comparison) else ()


def ladder_figure(of: Material) -> Figure:
    """Panels of shares, of quality by kind of task, and of costs; one line for each of ``lines``."""
    found = rungs(of.experiment, of.comparison)
    by_line, kinds = lines(found), _kinds(found)
    tasks = list(dict.fromkeys(rung.tasks for rung in found if rung.parameters is not None))
    look_of = looks(tuple(by_line))
    figure, axes = panels(len(kinds) + len(tasks) + len(_COSTS))
    for axis, kind in zip(axes, kinds, strict=False):
        _label(axis, "hallucination" if kind is Group.INVENTED else str(kind), "% of proposals", found)
        _draw(axis, by_line, look_of, kind, 100)
        axis.set_ylim(-3, 103)
    for axis, each in zip(axes[len(kinds) :], tasks, strict=False):
        _quality(axis, [rung for rung in found if rung.tasks == each], look_of, found)
    for axis, (key, unit) in zip(axes[len(kinds) + len(tasks) :], _COSTS.items(), strict=True):
        _label(axis, unit.partition(" ")[0], unit, found)
        most = max((numbers.max() for numbers in _draw(axis, by_line, look_of, key)), default=1.0)
        axis.set_ylim(0, 1.08 * most or 1.0)
    controls = dict.fromkeys(rung.method for rung in found if rung.parameters is None)
    legend_below(figure, axes, by_line, last=tuple(controls))
    return figure


def _kinds(found: Sequence[Rung]) -> list[Group]:
    """Invented, and the other groups that occur."""
    return [group for group in Group if group is Group.INVENTED or any(rung.cells.get(group) for rung in found)]


def _label(axis: Axes, title: str, unit: str, found: Sequence[Rung]) -> None:
    from matplotlib.ticker import NullLocator

    axis.set_title(title, loc="left")
    axis.set_xlabel("parameters")
    axis.set_ylabel(unit)
    axis.set_xscale("log")
    sizes = sorted({rung.parameters for rung in found if rung.parameters is not None})
    axis.set_xticks(sizes, [_size(number) for number in sizes])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlim(sizes[0] / 1.6, sizes[-1] * 1.6)
    axis.grid(True, axis="y")


def _size(parameters: int) -> str:
    """``135M``, ``1.78B``."""
    return f"{parameters / 1e6:.0f}M" if parameters < 1e9 else f"{parameters / 1e9:.3g}B"


def _draw(
    axis: Axes, by_line: Mapping[str, Sequence[Rung]], look_of: Looks, key: str, factor: float = 1.0
) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Draw a line of points with intervals for each of ``by_line``, without values that are not measured.

    Returns:
        The drawn points, one array per line.
    """
    drawn = []
    every = list(look_of)
    for line, of_line in by_line.items():
        known = [rung for rung in of_line if isinstance(rung.cells.get(key), float)]
        if not known:
            continue
        number = every.index(line)
        sizes = np.array([rung.parameters for rung in known]) * _APART ** (number - (len(every) - 1) / 2)
        values, lower, upper = factor * np.array([_interval(rung, key) for rung in known]).T
        spread = np.maximum([values - lower, upper - values], 0)
        marker = _MARKERS[number % len(_MARKERS)]
        axis.errorbar(sizes, values, spread, label=line, marker=marker, markersize=5, elinewidth=1, **look_of[line])
        drawn.append(values)
    return drawn


def _interval(rung: Rung, key: str) -> tuple[Any, Any, Any]:
    """The value and the ends of its interval, or three times the value."""
    value = rung.cells[key]
    lower, upper = rung.cells.get(f"{key}_lower"), rung.cells.get(f"{key}_upper")
    return (value, lower, upper) if isinstance(lower, float) and isinstance(upper, float) else (value, value, value)


def _quality(axis: Axes, rungs_here: Sequence[Rung], look_of: Looks, found: Sequence[Rung]) -> None:
    """Final incumbents on one kind of tasks: models as points, controls as lines with bands."""
    measure = next((str(rung.cells["measure"]) for rung in rungs_here if rung.cells.get("measure")), "not measured")
    _label(axis, rungs_here[0].tasks, measure, found)
    drawn = _draw(axis, lines(rungs_here), look_of, "score")
    every = list(dict.fromkeys(rung.method for rung in found if rung.parameters is None))
    for rung in rungs_here:
        if rung.parameters is None and isinstance(rung.cells.get("score"), float):
            value, lower, upper = _interval(rung, "score")
            dash = _CONTROL_DASHES[every.index(rung.method) % len(_CONTROL_DASHES)]
            axis.axhspan(lower, upper, color=INK, alpha=0.07, linewidth=0)
            axis.axhline(value, color=INK, linestyle=dash, linewidth=1.2, label=rung.method)
            drawn.append(np.array([value]))
    limits = axis.get_xlim()
    scale_regret(axis, drawn, measure == "regret")
    axis.set_xlim(limits)


FIGURE = Drawings(30, ladder_sketches)
