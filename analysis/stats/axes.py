"""Cost axes: seconds of the virtual clock, tokens, joules, money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.runs.by_run import by_run
from analysis.runs.comparison import Comparison
from analysis.runs.load import Experiment
from analysis.stats.bills import bills
from analysis.stats.joules import run_joules
from analysis.stats.prices import Prices

Floats = npt.NDArray[np.float64]
Place = tuple[str, str, int]
"""Method, task and seed."""

_SECONDS = pl.col("ask_seconds") + pl.col("evaluation_seconds").fill_null(0.0)
"""The clock of ``harness.budget``: asking plus evaluating; an invalid proposal has no evaluation."""
_UNKNOWN = pl.col("executed") & pl.col("evaluation_seconds").is_null()
_TOKENS = (pl.col("prompt_tokens") + pl.col("completion_tokens")).cast(pl.Float64)


@dataclass(frozen=True, slots=True)
class Axis:
    """One kind of cost.

    Attributes:
        name: One word.
        label: Axis label with the unit.
        cumulative: Run -> cumulative cost after each trial, shape (trials,); None if a part is not measured.
    """

    name: str
    label: str
    cumulative: Mapping[Place, Floats | None]

    @property
    def measured(self) -> bool:
        """Whether any run has a known, nonzero cost."""
        return any(cost is not None and cost[-1] > 0 for cost in self.cumulative.values())


def cost_axes(experiment: Experiment, prices: Prices) -> tuple[Axis, ...]:
    """Those of seconds, tokens, joules and money that are measured and nonzero in any run."""
    spent = by_run(experiment.trials, _SECONDS.cum_sum(), _UNKNOWN, _TOKENS.cum_sum())
    place = {run.id: (run.method, run.task, run.seed) for run in experiment.runs}
    seconds = {place[id_]: None if unknown.any() else clock for id_, (clock, unknown, _) in spent.items()}
    tokens = {id_: count for id_, (_, _, count) in spent.items()}
    used = run_joules(experiment)
    joules = {place[id_]: _spread(used.get(id_), spent) for id_, spent in tokens.items()}
    currency, money = _money(experiment, prices, tokens)
    axes = (
        Axis("seconds", "seconds (asking and evaluating)", seconds),
        Axis("tokens", "tokens (prompt and completion)", {place[id_]: spent for id_, spent in tokens.items()}),
        Axis("joules", "energy (J)", joules),
        Axis("money", f"estimated money ({currency})", {place[id_]: m for id_, m in money.items()}),
    )
    return tuple(axis for axis in axes if axis.measured)


def _spread(total: float | None, tokens: Floats) -> Floats | None:
    """Distribute a run's total over its trials by tokens; a run without tokens gets nothing."""
    if tokens[-1] == 0:
        return np.zeros_like(tokens)
    return None if total is None else total * tokens / tokens[-1]


def _money(
    experiment: Experiment, prices: Prices, tokens: Mapping[str, Floats]
) -> tuple[str, dict[str, Floats | None]]:
    """The currency, and run id -> money after each trial; all costs are None if currencies differ."""
    found = bills(experiment, prices)
    currencies = {bill.price.currency for bill in found.values() if bill.price is not None}
    money: dict[str, Floats | None] = {}
    for id_, spent in tokens.items():
        amounts = found[id_].amounts if id_ in found else np.zeros_like(spent)
        money[id_] = None if amounts is None or (len(currencies) > 1 and id_ in found) else amounts.cumsum()
    return ", ".join(sorted(currencies)), money


def cost_of(axis: Axis, method: str, tasks: tuple[str, ...], seeds: tuple[int, ...]) -> list[list[Floats]] | None:
    """Cumulative costs of a method's runs after each trial: one list per task with one entry per seed; or None."""
    found = [[axis.cumulative[method, task, seed] for seed in seeds] for task in tasks]
    known = [[cost for cost in costs if cost is not None] for costs in found]
    return known if all(len(costs) == len(seeds) for costs in known) else None


def at_cost(curve: Floats, cost: Floats, start: float, grid: Floats) -> Floats:
    """A run's incumbent as a right-continuous step function of its cost.

    Args:
        curve: Incumbent after each trial, shape (trials,).
        cost: Cumulative cost after each trial, shape (trials,), never falling.
        start: The incumbent before the first trial is finished.
        grid: Costs at which to evaluate, shape (points,).

    Returns:
        Shape (points,): the incumbent of the trials finished at each cost.
    """
    paid = np.searchsorted(cost, grid, side="right")
    return np.concatenate([[start], curve])[paid]


def scores_at(block: Comparison, method: str, costs: list[list[Floats]], grid: Floats) -> Floats:
    """Normalized regrets of a method's runs at costs, or best values of a single task whose regret is unknown.

    Args:
        block: Runs that can be compared.
        method: One of its methods.
        costs: Cumulative costs of its runs (``cost_of``).
        grid: Costs, shape (points,).

    Returns:
        Shape (runs, tasks, points).
    """
    tasks = block.regret_tasks or block.tasks[:1]
    curves = {task.name: [block.curves[method, task.name][seed] for seed in block.seeds] for task in tasks}
    nothing = all(np.isnan(curve).all() for of_task in curves.values() for curve in of_task)
    scores = []
    for task, of_task in zip(tasks, costs, strict=True):
        start = np.nan if nothing or not block.regret_tasks else task.charge
        runs = [np.where(np.isnan(curve), start, curve) for curve in curves[task.name]]
        losses = np.stack([at_cost(run, cost, start, grid) for run, cost in zip(runs, of_task, strict=True)])
        scores.append(task.regret(losses) if block.regret_tasks else task.values(losses))
    return np.stack(scores, axis=1)
