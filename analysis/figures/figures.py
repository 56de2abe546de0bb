"""Drawing: one style for all figures, as reproducible SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.stats.material import Material

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1a1c20"  # the report page replaces this colour to follow light and dark mode
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
    "figure.constrained_layout.w_pad": 0.08,  # PNG text is slightly wider than the SVG text of the layout
    "svg.fonttype": "path",
}


@dataclass(frozen=True, slots=True)
class Sketch:
    """A figure to draw.

    Attributes:
        name: File stem.
        figure_of: Function that draws it.
        caption: Explanation for the reader.
        whole: Whether it shows whole runs, as curves do; else only the trials within the common budget.
    """

    name: str
    figure_of: Callable[[Material], Figure]
    caption: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Drawings:
    """The ``FIGURE`` of a file in ``analysis/figures``, which the report finds.

    Attributes:
        order: Position among the figures.
        sketches_of: Makes the figures from whole runs; empty if they do not apply.
    """

    order: int
    sketches_of: Callable[[Material], tuple[Sketch, ...]]


def draw(figure_of: Callable[[Material], Figure], name: str, of: Material) -> tuple[str, bytes]:
    """A figure as SVG text and PNG bytes (white background); reproducible with the same runs and versions."""
    import matplotlib as mpl

    mpl.use("Agg")
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = figure_of(of)
        svg, png = io.StringIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.set_layout_engine("none")  # the layout is done, and repeating it takes as long as drawing
        figure.savefig(png, format="png", dpi=180, facecolor="white", metadata={"Software": None})
    return svg.getvalue(), png.getvalue()
