"""The anytime figure: how good the incumbent is after each proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analysis.comparison import Comparison, compare_task
from analysis.figures import INK
from analysis.load import Experiment
from analysis.panels import Looks, legend, looks, mean_line, panels
from analysis.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_EXACT = "random search, exact expectation"
_LOG_FROM_RATIO = 12.0  # a linear axis hides the lower curves when the spread is larger than this


def anytime_figure(experiment: Experiment, comparison: Comparison) -> Figure:
    """Mean normalized regret after each proposal with a bootstrap band: the mean panel first, then one a task.

    A task whose regret is unknown shows the best value as reported, and is not in the mean panel.
    """
    blocks = [compare_task(experiment, comparison, task) for task in experiment.tasks.values()]
    several = len(comparison.regret_tasks) > 1 and bool(comparison.seeds)
    shown = ([comparison] if several else []) + blocks
    look_of = looks(experiment.methods)
    figure, axes = panels(len(shown), look_of)
    for axis, block in zip(axes, shown, strict=True):
        _anytime_panel(axis, block, look_of)
    legend(figure, axes, look_of, last=(_EXACT,))
    return figure


def _anytime_panel(axis: Axes, block: Comparison, look_of: Looks) -> None:
    one = block.tasks[0] if len(block.tasks) == 1 else None
    known = bool(block.regret_tasks)
    axis.set_title(one.name if one else f"mean of {len(block.regret_tasks)} tasks", loc="left")
    axis.set_xlabel("proposals")
    axis.set_ylabel("normalized regret" if known or one is None else f"best {one.objective}")
    axis.grid(True, axis="y")
    shown: list[Floats] = []
    for method in block.methods if block.seeds else ():
        scores = block.regret_curves(method) if known else _value_curves(block, method, block.tasks[0])
        shown.append(mean_line(axis, scores, method, look_of[method]))
    exact = _exact_curve(block) if block.seeds else None
    if exact is not None:
        steps = np.arange(1, len(exact) + 1)
        axis.plot(steps, exact, color=INK, linestyle=(0, (4, 2)), linewidth=1.3, label=_EXACT, zorder=3)
        shown.append(exact)
    _scale(axis, shown, known)


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
