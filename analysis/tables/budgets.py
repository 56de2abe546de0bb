"""The common budget of compared runs: tables compare at it; later trials are only in the curves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from analysis.present.render import number_text
from analysis.runs.load import Experiment, Run
from harness.scalars import finite
from harness.visible import listed

UNITS = ("proposals", "evaluations", "tokens", "seconds")
Limits = tuple[tuple[str, float], ...]
"""The limits of a run's budget, in the order of ``UNITS``: (unit, limit)."""

_SPENT = {  # as counted by harness.budget.Spent
    "proposals": pl.lit(1),
    "evaluations": pl.col("executed").cast(pl.Int64),
    "tokens": pl.col("prompt_tokens") + pl.col("completion_tokens"),
    "seconds": pl.col("ask_seconds") + pl.col("evaluation_seconds").fill_null(0.0),
}


def limits(run: Run, trials: pl.DataFrame) -> Limits:
    """The limits of a run: its budget, or its number of trials if no budget was recorded."""
    given: Mapping[str, float | None] = run.info.get("budget") or {}
    numbers = ((unit, finite(given.get(unit))) for unit in UNITS)
    found = tuple((unit, limit) for unit, limit in numbers if limit is not None and limit > 0)
    return found or (("proposals", float(trials.filter(pl.col("run") == run.id).height)),)


def budget_text(budget: Limits) -> str:
    """``20 proposals``; with several limits, the first one reached ends a run."""
    return " or ".join(f"{number_text(limit) if limit % 1 else f'{limit:,.0f}'} {unit}" for unit, limit in budget)


def at_common_budget(experiment: Experiment) -> tuple[Experiment, tuple[str, ...]]:
    """The experiment without trials beyond the common budget of their task.

    If the budgets of a task differ only in the value of one limit, the smallest value is used; if they have different
    limits, the smallest number of proposals. If all are equal, nothing is left out.

    Returns:
        The experiment, and a sentence per difference of budgets; none if nothing was left out.
    """
    kept: list[pl.DataFrame] = []
    said: dict[str, list[str]] = {}
    for task in experiment.tasks:
        trials = experiment.trials.filter(pl.col("task") == task)
        budgets = [(run.method, limits(run, trials)) for run in experiment.runs if run.task == task]
        if len({budget for _, budget in budgets}) > 1:
            unit, limit = _common([budget for _, budget in budgets], trials)
            before = pl.col("spent").cum_sum().over("run") - pl.col("spent")
            trials = trials.with_columns(spent=_SPENT[unit]).filter(before < limit).drop("spent")
            said.setdefault(_sentence(budgets, unit, limit), []).append(task)
        kept.append(trials)
    if not said:
        return experiment, ()
    return _cut(experiment, pl.concat(kept)), tuple(f"{', '.join(tasks)}: {what}" for what, tasks in said.items())


def _common(budgets: Iterable[Limits], trials: pl.DataFrame) -> tuple[str, float]:
    """The unit and limit at which runs with different budgets are compared."""
    named = [dict(budget) for budget in budgets]
    differ = [unit for unit in UNITS if len({budget.get(unit) for budget in named}) > 1]
    if len(differ) == 1 and all(differ[0] in budget for budget in named):
        return differ[0], min(budget[differ[0]] for budget in named)
    return "proposals", float(np.min(trials.group_by("run").len()["len"].to_numpy()))


def _sentence(budgets: Iterable[tuple[str, Limits]], unit: str, limit: float) -> str:
    methods: dict[Limits, dict[str, None]] = {}
    for method, budget in budgets:
        methods.setdefault(budget, {})[method] = None
    had = "; ".join(f"{budget_text(budget)}: {listed(list(names))}" for budget, names in methods.items())
    return (
        f"the budgets differ ({had}); compared after {budget_text(((unit, limit),))}, the largest that all runs "
        "had. Later trials are only in the curves."
    )


def _cut(experiment: Experiment, trials: pl.DataFrame) -> Experiment:
    order = pl.DataFrame({"run": [run.id for run in experiment.runs]})
    trials = order.join(trials, on="run", how="left", maintain_order="left_right").select(experiment.trials.columns)
    ends = dict(trials.group_by("run").len().iter_rows())
    invalid = tuple(found for found in experiment.invalid if found.row["index"] < ends[found.run.id])
    return dataclasses.replace(experiment, trials=trials, invalid=invalid)
