"""Drawing: one style for all figures, SVG and PNG, the same bytes for the same runs."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.stats.material import Material

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1a1c20"  # the report page swaps this one colour, so that figures follow light and dark
_STYLE = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "grid.color": "#8a8f98",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "figure.constrained_layout.w_pad": 0.08,  # PNG text is wider by a hair than the SVG text that was laid out
    "svg.fonttype": "path",
}


@dataclass(frozen=True, slots=True)
class Sketch:
    """A figure that is to be drawn.

    Attributes:
        name: File stem.
        figure_of: Draws it.
        caption: How to read it.
        whole: Whether it shows whole runs, as curves do; else the trials within the budget that all runs had.
    """

    name: str
    figure_of: Callable[[Material], Figure]
    caption: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Drawings:
    """What a file of ``analysis/figures`` has as ``FIGURE``: its figures, which the report finds there.

    Attributes:
        order: Its place among the figures.
        sketches_of: The figures, from whole runs; empty where the experiment has nothing for them.
    """

    order: int
    sketches_of: Callable[[Material], tuple[Sketch, ...]]


def draw(figure_of: Callable[[Material], Figure], name: str, of: Material) -> tuple[str, bytes]:
    """A figure as SVG text and PNG bytes (white background), reproducible for the same runs and versions."""
    import matplotlib as mpl

    mpl.use("Agg")
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = figure_of(of)
        svg, png = io.StringIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.set_layout_engine("none")  # it stands: laying it out again would take as long as drawing it
        figure.savefig(png, format="png", dpi=180, facecolor="white", metadata={"Software": None})
    return svg.getvalue(), png.getvalue()
