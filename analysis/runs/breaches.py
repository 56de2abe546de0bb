"""Check a task's declared optimum and worst value against the measured rows.

If a row is better than the declared optimum, or worse than the declared worst value, the declaration is wrong, not the
row. Rows are never clipped; figures that depend on the declaration are not reported.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.runs.task import CONSEQUENCE, Task
from harness.problem import Objective

Floats = npt.NDArray[np.float64]

_TOLERANCE = 1e-6  # relative to the bound: a loss may be a float32 and its bound a float64
_VISIBLE = 1e-3  # relative to the span of the bounds: larger deviations would be visible


def held_to_rows(task: Task, trials: pl.DataFrame) -> Task:
    """The task with a sentence for every declaration that does not hold.

    Args:
        task: The task as declared by its runs.
        trials: Its rows, with the columns ``loss`` and ``losses``, which are null below the highest fidelity.
    """
    first = trials["loss"].drop_nulls().to_numpy()
    further = trials["losses"].drop_nulls().explode().to_numpy().reshape(-1, len(task.objectives))
    found = list(_breaches_of_curve(task))
    for number, objective in enumerate(task.objectives):
        losses = further[:, number] if number else first
        one_random = task.random_curve[0] if task.random_curve and number == 0 else None
        found += [f"{task.name}: {_declared(objective)} {what}" for what in _breaches(objective, losses, one_random)]
    return dataclasses.replace(task, breaches=(*task.breaches, *(f"{what}; {CONSEQUENCE}." for what in found)))


def _breaches(objective: Objective, losses: Floats, one_random: float | None) -> Iterator[str]:
    """Violated bounds in words; ``one_random`` is the expected loss of one random configuration, if known."""
    best, worst = (None if end is None else objective.loss(end) for end in (objective.optimum, objective.worst))
    if best is not None and worst is not None and worst < best:
        yield "do not hold: the worst value is better than the best"
        return
    spans = [end - best for end in (worst, one_random) if best is not None and end is not None]
    for bound, sign, word in ((best, -1, "better than the best"), (worst, 1, "worse than the worst")):
        if bound is None or not len(losses):
            continue
        outside = sign * (losses - bound) > _slack(bound, spans)
        if outside.any():
            extreme = objective.value(float(sign * (sign * losses).max()))
            count = f"{outside.sum():,} of {len(losses):,} rows"
            yield f"do not hold: {count} are {word} value, the farthest at {extreme:.6g}"


def _breaches_of_curve(task: Task) -> Iterator[str]:
    """Errors in the exact expectation of random search, which must neither rise nor leave the bounds."""
    curve = np.asarray(task.random_curve, dtype=np.float64)
    if not len(curve):
        return
    objective = task.objectives[0]
    best, worst = (None if end is None else objective.loss(end) for end in (objective.optimum, objective.worst))
    slack = _TOLERANCE * float(np.abs(curve).max())
    what = f"{task.name}: the expectation of random search declared for {objective.name}"
    if (np.diff(curve) > slack).any():
        yield f"{what} gets worse with more evaluations"
    if (best is not None and curve[-1] < best - slack) or (worst is not None and curve[0] > worst + slack):
        yield f"{what} lies outside the declared best and worst value"


def _slack(bound: float, spans: list[float]) -> float:
    return min([_TOLERANCE * abs(bound), *(_VISIBLE * span for span in spans if span > 0)])


def _declared(objective: Objective) -> str:
    ends = (("best", objective.optimum), ("worst", objective.worst))
    listed = ", ".join(f"{word} {end:.6g}" for word, end in ends if end is not None)
    return f"the declared bounds of {objective.name} ({objective.direction}; {listed})"
