"""The anytime figure: quality of the incumbent after each proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analysis.figures.figures import INK, Drawings, Sketch
from analysis.figures.panels import Looks, label_panel, legend, looks, mean_line, panels, scale_regret
from analysis.runs.comparison import Comparison, compare_task
from analysis.runs.task import Task
from analysis.stats.material import Material

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_EXACT = "random search, exact expectation"
_CAPTION = (
    "Incumbent after each proposal, invalid ones included: mean over seeds, 95 % bootstrap band. Regret 0 is the "
    "optimum, 1 the expectation of one random configuration. Before its first valid trial a run stands at the "
    "task's worst value; one that ended before others of its method keeps its last incumbent; a line that leaves a "
    "logarithmic panel at the bottom has reached the optimum."
)


def anytime_figure(of: Material) -> Figure:
    """Mean normalized regret after each proposal with a bootstrap band: the mean panel first, then one per task.

    A task whose regret is unknown shows the best value as reported, and is not in the mean panel.
    """
    shown = blocks(of)
    look_of = looks(of.experiment.methods)
    figure, axes = panels(len(shown))
    for axis, block in zip(axes, shown, strict=True):
        _anytime_panel(axis, block, look_of)
    legend(figure, axes, look_of, last=(_EXACT,))
    return figure


def blocks(of: Material) -> list[Comparison]:
    """The panels: the mean of all tasks whose regret is known, if there are several, then each task."""
    experiment, comparison = of.experiment, of.comparison
    several = len(comparison.regret_tasks) > 1 and bool(comparison.seeds)
    of_tasks = [compare_task(experiment, comparison, task) for task in experiment.tasks.values()]
    return ([comparison] if several else []) + of_tasks


def _anytime_panel(axis: Axes, block: Comparison, look_of: Looks) -> None:
    from matplotlib.ticker import MaxNLocator

    known = bool(block.regret_tasks)
    label_panel(axis, block, "proposals")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    shown: list[Floats] = []
    for method in block.methods if block.seeds else ():  # a line ends with the longest run of the method
        scores = block.regret_curves(method) if known else _value_curves(block, method, block.tasks[0])
        shown.append(mean_line(axis, scores, method, look_of[method]))
    exact = _exact_curve(block) if block.seeds else None
    if exact is not None:
        steps = np.arange(1, len(exact) + 1)
        axis.plot(steps, exact, color=INK, linestyle=(0, (4, 2)), linewidth=1.3, label=_EXACT, zorder=3)
        shown.append(exact)
    scale_regret(axis, shown, known)


def _value_curves(block: Comparison, method: str, task: Task) -> Floats:
    return task.values(block.incumbents(method, task))[:, None, :]


def _exact_curve(block: Comparison) -> Floats | None:
    """Exact random search over the panel's tasks, as far as all curves are known."""
    if not block.regret_tasks:
        task = block.tasks[0]
        curve = np.asarray(task.random_curve[: block.proposals(task)], dtype=np.float64)
        return task.values(curve) if len(curve) else None
    length = min(min(len(task.random_curve), block.proposals(task)) for task in block.regret_tasks)
    result: Floats = np.mean([task.random_regret[:length] for task in block.regret_tasks], axis=0)
    return result


FIGURE = Drawings(10, lambda of: (Sketch("anytime", anytime_figure, _CAPTION),))
