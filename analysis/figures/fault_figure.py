"""The fault figure: invalid proposals of each method by fault, ordered by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.figures.figures import Drawings, Sketch
from analysis.present.render import number_text, wrapped
from analysis.runs.load import Experiment
from analysis.stats.material import Material
from harness.faults import GROUP_OF, UNSURE, Group
from harness.trial import Fault

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {
    Group.INVENTED: ("#67001F", "#980043", "#CE1256", "#E7298A", "#DF65B0"),
    Group.IMPRECISE: ("#4393C3",),
    Group.REDUNDANT: ("#DDCC77",),
    Group.UNREADABLE: ("#333333", "#777777", "#BBBBBB"),
}
"""One hue per group (red, blue, yellow and grey are distinguishable for colour-blind readers), one shade per fault."""
FAULT_COLOURS = {
    fault.value: colour
    for group, colours in _COLOURS.items()
    for fault, colour in zip((fault for fault in Fault if GROUP_OF[fault] is group), colours, strict=True)
} | {UNSURE: "#C2A5CF"}
"""Faults by group, in stacking order; last, those of unknown group."""
_CAPTION = (
    "Invalid proposals, each counted once, in the first group with one of its faults: invented (red), imprecise "
    "(blue), redundant (yellow), unreadable (grey). Red ends at the hallucination rate, the whole bar at the invalid "
    "rate. Purple (old logs only): unknown whether invented or imprecise."
)


def fault_figure(of: Material) -> Figure:
    """Invalid rate of each method, stacked by groups of faults; the first group ends at the hallucination rate."""
    from matplotlib.figure import Figure

    shares = filed_shares(of.experiment)
    names = [wrapped(method) for method in shares]
    heights = np.array([0.27 + 0.15 * name.count("\n") for name in names]) + 0.1  # inches, for one line and more
    places = heights.cumsum() - heights / 2
    figure = Figure(figsize=(7.4, float(heights.sum()) + 1.0), layout="constrained")
    axis = figure.subplots()
    left = np.zeros(len(shares))
    for fault, colour in FAULT_COLOURS.items():
        widths = np.array([100 * row.get(fault, 0.0) for row in shares.values()])
        if widths.any():
            axis.barh(places, widths, left=left, height=0.24, color=colour, label=fault.replace("_", " "))
            left += widths
    for place, end in zip(places, left, strict=True):
        axis.text(end + 1.2, place, f"{number_text(end)} %", va="center")
    axis.set_yticks(places, names)
    axis.set_ylim(heights.sum(), 0)
    axis.tick_params(axis="y", length=0)
    axis.set_xlim(0, 112)
    axis.set_xticks(range(0, 101, 20))
    axis.set_xlabel("invalid proposals by group of faults (% of proposals)")
    axis.spines["left"].set_visible(False)
    axis.grid(True, axis="x")
    axis.set_axisbelow(True)
    if left.any():
        figure.legend(
            loc="outside lower center",
            ncols=6 if len(axis.containers) <= 6 else 5,
            handlelength=1,
            handleheight=1,
            columnspacing=1.2,
        )
    return figure


def filed_shares(experiment: Experiment) -> dict[str, dict[str, float]]:
    """Method -> fault -> share of its proposals with this fault as the first one (``harness.faults.filed``)."""
    trials = experiment.trials.select("method", "filed")
    counts = trials.group_by("method", "filed").len().rows()
    totals = dict(trials.group_by("method").len().rows())
    shares: dict[str, dict[str, float]] = {method: {} for method in experiment.methods}
    for method, fault, count in counts:
        if fault is not None:
            shares[method][fault] = count / totals[method]
    return shares


FIGURE = Drawings(20, lambda of: (Sketch("faults", fault_figure, _CAPTION, whole=False),))
