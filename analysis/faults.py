"""The fault figure: what kinds of invalid proposals each method made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from analysis.comparison import Comparison
from analysis.load import Experiment
from analysis.render import number_text, wrapped
from harness.trial import Fault

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Paul Tol's "muted" scheme: nine colours and a grey that stay apart for colour-blind readers
_FAULT_COLOURS = dict(
    zip(
        Fault,
        ("#882255", "#CC6677", "#332288", "#88CCEE", "#44AA99", "#DDCC77", "#BBBBBB", "#999933", "#117733", "#AA4499"),
        strict=True,
    )
)


def fault_figure(experiment: Experiment, comparison: Comparison) -> Figure:
    """Invalid share of each method, stacked by the kind of their first fault: a bar ends at the invalid share."""
    from matplotlib.figure import Figure

    shares = first_fault_shares(experiment)
    names = [wrapped(method) for method in shares]
    heights = np.array([0.27 + 0.15 * name.count("\n") for name in names]) + 0.1  # inches, for one line and more
    places = heights.cumsum() - heights / 2
    figure = Figure(figsize=(7.4, float(heights.sum()) + 1.0), layout="constrained")
    axis = figure.subplots()
    left = np.zeros(len(shares))
    for fault in Fault:
        widths = np.array([100 * row.get(fault.value, 0.0) for row in shares.values()])
        if widths.any():
            colour, label = _FAULT_COLOURS[fault], fault.value.replace("_", " ")
            axis.barh(places, widths, left=left, height=0.24, color=colour, label=label)
            left += widths
    for place, end in zip(places, left, strict=True):
        axis.text(end + 1.2, place, f"{number_text(end)} %", va="center")
    axis.set_yticks(places, names)
    axis.set_ylim(heights.sum(), 0)
    axis.tick_params(axis="y", length=0)
    axis.set_xlim(0, 112)
    axis.set_xticks(range(0, 101, 20))
    axis.set_xlabel("invalid proposals by their first fault (% of proposals)")
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


def first_fault_shares(experiment: Experiment) -> dict[str, dict[str, float]]:
    """Method -> fault -> share of its proposals whose first violation is of that kind."""
    trials = experiment.trials.select("method", first=pl.col("faults").list.get(0, null_on_oob=True))
    counts = trials.group_by("method", "first").len().rows()
    totals = dict(trials.group_by("method").len().rows())
    shares: dict[str, dict[str, float]] = {method: {} for method in experiment.methods}
    for method, fault, count in counts:
        if fault is not None:
            shares[method][fault] = count / totals[method]
    return shares
