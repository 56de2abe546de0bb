"""The figure of reasons: whether proposals follow the directions that their reasons name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.figures import INK, Drawings, Sketch
from analysis.present.render import wrapped
from analysis.runs.reasoned import KEPT, OPPOSITE, UNCHANGED, VERDICTS, Reasoned
from analysis.stats.material import Material
from analysis.tables.reasons import kept_by_chance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {KEPT: "#44AA99", UNCHANGED: "#DDCC77", OPPOSITE: "#CC6677"}  # Paul Tol's "muted" scheme
_CAPTION = (
    "Directions that reasons name (higher depth, lower alpha), by what the proposal did: shares of the judgeable "
    "claims. The mark is the share kept by chance: if a bar ends there, proposals are independent of their reasons."
)


def reason_sketches(of: Material) -> tuple[Sketch, ...]:
    """The figure, if any claim can be judged."""
    judged = {method: found for method, found in of.reasons.items() if any(each.verdicts for each in found)}
    return (Sketch("reasons", partial(reasons_figure, reasons=judged), _CAPTION),) if judged else ()


def reasons_figure(of: Material, reasons: dict[str, list[Reasoned]]) -> Figure:
    """One bar per method: shares of its judged claims, and a mark at the share kept by chance."""
    from matplotlib.figure import Figure

    names = [wrapped(method) for method in reasons]
    heights = np.array([0.27 + 0.15 * name.count("\n") for name in names]) + 0.1  # inches, for one line and more
    places = heights.cumsum() - heights / 2
    figure = Figure(figsize=(7.4, float(heights.sum()) + 1.1), layout="constrained")
    axis = figure.subplots()
    left = np.zeros(len(names))
    every = [[verdict for each in found for verdict in each.verdicts.values()] for found in reasons.values()]
    for kind in VERDICTS:
        widths = np.array([100 * verdicts.count(kind) / len(verdicts) for verdicts in every])
        axis.barh(places, widths, left=left, height=0.24, color=_COLOURS[kind], label=kind)
        left += widths
    chances = [kept_by_chance(found) for found in reasons.values()]
    marks = [(100 * chance, place) for chance, place in zip(chances, places, strict=True) if chance is not None]
    if marks:
        axis.plot(*zip(*marks, strict=True), "|", color=INK, markersize=17, markeredgewidth=2, label="kept by chance")
    axis.set_yticks(places, names)
    axis.set_ylim(heights.sum(), 0)
    axis.tick_params(axis="y", length=0)
    axis.set_xlim(0, 100)
    axis.set_xlabel("claims that can be judged (%)")
    axis.spines["left"].set_visible(False)
    axis.grid(True, axis="x")
    axis.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=4, handlelength=1, handleheight=1, columnspacing=1.2)
    return figure


FIGURE = Drawings(60, reason_sketches)
