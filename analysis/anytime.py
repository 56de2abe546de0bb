"""The anytime figure: how good the incumbent is after each proposal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analysis.comparison import Comparison, compare_task
from analysis.figures import INK
from analysis.load import Experiment
from analysis.statistics import bootstrap_band
from analysis.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

# Okabe & Ito (2008) without yellow and black; then again with other dashes
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES = ("solid", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
_EXACT = "random search, exact expectation"
_LOG_FROM_RATIO = 12.0  # a linear axis hides the lower curves when the spread is larger than this


def anytime_figure(experiment: Experiment, comparison: Comparison) -> Figure:
    """Mean normalized regret after each proposal with a bootstrap band: the mean panel first, then one a task.

    A task whose regret is unknown shows the best value as reported, and is not in the mean panel.
    """
    blocks = [compare_task(experiment, comparison, task) for task in experiment.tasks.values()]
    several = len(comparison.regret_tasks) > 1 and bool(comparison.seeds)
    panels = ([comparison] if several else []) + blocks
    looks = _looks(experiment.methods)
    legend_columns = 1 if max(map(len, looks)) > 60 else 2
    figure, axes = _panels(len(panels), legend_rows=math.ceil((len(looks) + 1) / legend_columns))
    for axis, block in zip(axes, panels, strict=True):
        _anytime_panel(axis, block, looks)
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    order = [name for name in (*looks, _EXACT) if name in handles]
    figure.legend(
        [handles[name] for name in order], order, loc="outside lower center", ncols=legend_columns, handlelength=2.6
    )
    return figure


def _panels(count: int, legend_rows: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    columns = min(count, 2 if count == 4 else 3)
    rows = math.ceil(count / columns)
    size = max(6.4, 3.7 * columns), 2.9 * rows + 0.22 * legend_rows + 0.35
    figure = Figure(figsize=size, layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flatten())
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes[:count]


def _looks(methods: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """Colour and dashes of each method, the same in every panel."""
    count = len(_COLOURS)
    return {
        method: {"color": _COLOURS[i % count], "linestyle": _DASHES[i // count % len(_DASHES)]}
        for i, method in enumerate(methods)
    }


def _anytime_panel(axis: Axes, block: Comparison, looks: dict[str, dict[str, object]]) -> None:
    one = block.tasks[0] if len(block.tasks) == 1 else None
    known = bool(block.regret_tasks)
    axis.set_title(one.name if one else f"mean of {len(block.regret_tasks)} tasks", loc="left")
    axis.set_xlabel("proposals")
    axis.set_ylabel("normalized regret" if known or one is None else f"best {one.objective}")
    axis.grid(True, axis="y")
    shown: list[Floats] = []
    for method in block.methods if block.seeds else ():
        scores = block.regret_curves(method) if known else _value_curves(block, method, block.tasks[0])
        shown.append(_anytime_line(axis, scores, method, looks[method]))
    exact = _exact_curve(block) if block.seeds else None
    if exact is not None:
        steps = np.arange(1, len(exact) + 1)
        axis.plot(steps, exact, color=INK, linestyle=(0, (4, 2)), linewidth=1.3, label=_EXACT, zorder=3)
        shown.append(exact)
    _scale(axis, shown, known)


def _anytime_line(axis: Axes, scores: Floats, method: str, look: dict[str, object]) -> Floats:
    """Draws the mean curve and its band; gaps where any run's incumbent is unknown."""
    centre: Floats = scores.mean(axis=(0, 1))
    lower, upper = bootstrap_band(scores, np.random.default_rng(0))
    steps = np.arange(1, len(centre) + 1)
    axis.fill_between(steps, lower, upper, step="mid", color=look["color"], alpha=0.16, linewidth=0)
    axis.step(steps, centre, where="mid", label=method, **look)
    return centre


def _value_curves(block: Comparison, method: str, task: Task) -> Floats:
    return task.values(block.incumbents(method, task, block.proposals(task)))[:, None, :]


def _exact_curve(block: Comparison) -> Floats | None:
    """Exact random search over the panel's tasks, as far as every curve is known."""
    if not block.regret_tasks:
        task = block.tasks[0]
        curve = np.asarray(task.random_curve[: block.proposals(task)], dtype=np.float64)
        return task.values(curve) if len(curve) else None
    length = min(min(len(task.random_curve), block.proposals(task)) for task in block.regret_tasks)
    result: Floats = np.mean([task.random_regret[:length] for task in block.regret_tasks], axis=0)
    return result


def _scale(axis: Axes, shown: list[Floats], regret: bool) -> None:
    from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.margins(x=0.01)
    numbers = np.concatenate(shown) if shown else np.zeros(0)
    positive = numbers[np.isfinite(numbers) & (numbers > 0)]
    if not regret or not len(positive):
        return
    if positive.max() / positive.min() < _LOG_FROM_RATIO:
        axis.set_ylim(bottom=0)
        return
    axis.set_yscale("log")
    axis.set_ylim(bottom=positive.min() / 2)  # a curve that reaches the optimum leaves the panel at the bottom
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
