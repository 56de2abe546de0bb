"""The headline: sentences made from the numbers of the tables."""

from __future__ import annotations

import math

import polars as pl

from analysis.present.render import number_text, with_interval
from analysis.present.table import Table
from analysis.runs.labels import EXACT
from analysis.runs.load import Experiment
from analysis.tables.authorship import with_model
from analysis.tables.failures import reasons
from harness.faults import Group

Row = dict[str, object]
Rows = dict[str, Row]


def headlines(experiment: Experiment, quality: Table, hallucination: Table) -> tuple[str, ...]:
    """One sentence per method with a language model, or one on the best methods if there is none.

    They follow one sentence per method without any result.
    """
    rows = {str(row["method"]): row for row in quality.frame.iter_rows(named=True)}
    faults = {str(row["method"]): row for row in hallucination.frame.iter_rows(named=True)}
    with_llm = with_model(experiment)
    little = {str(quality.frame["method"][number]) for number in quality.marked}
    classical = [method for method in experiment.methods if method not in with_llm and method in rows]
    nothing = tuple(filter(None, (_nothing(experiment, method) for method in experiment.methods)))
    if not with_llm:
        return (*nothing, *_without_llm(rows, classical))
    return nothing + tuple(
        f"{method}: {_rates(faults[method])} "
        f"{_of_the_model(rows[method]) if method in little else ''}"
        f"{_result('Its', rows[method])}{_rivals(rows, classical)}."
        for method in experiment.methods
        if method in with_llm and method in rows
    )


def _rates(row: Row) -> str:
    """Both rates, or only the known one."""
    invalid = f"{with_interval(row, 'invalid', 100, ' %')} of its {row['proposals']:,} proposals were invalid"
    if not _measured(row, Group.INVENTED):
        return f"{invalid}; the hallucination rate is not measured."
    return f"{invalid}; its hallucination rate is {with_interval(row, Group.INVENTED, 100, ' %')}."


def _nothing(experiment: Experiment, method: str) -> str | None:
    """Why a method has no result in any of its runs; None if it has one."""
    trials = experiment.trials.filter(pl.col("method") == method)
    if trials["loss"].is_not_null().any() or trials["below"].any():
        return None
    failed = trials.filter("failed")["error"].to_list()
    executed = trials["executed"].sum()
    what = f"{method}: no result in any of its {trials['run'].n_unique()} runs, because "
    if not executed:
        return f"{what}none of its {trials.height:,} proposals was evaluated."
    why = f": {reasons(failed)}" if failed else ""
    return f"{what}all of its {executed:,} evaluations failed{why}."


def _of_the_model(row: Row) -> str:
    share = row["model_share"]
    assert isinstance(share, float)
    return f"Its language model contributed little: it made {number_text(100 * share)} % of the proposals. "


def _without_llm(rows: Rows, methods: list[str]) -> tuple[str, ...]:
    """The best method, the tied best methods, or the reason why none is best."""
    start = "No method uses a language model."
    best = _best(rows, methods)
    if not best:
        why = "nothing was measured" if any(rows[method]["runs"] for method in methods) else "no runs can be compared"
        return (f"{start} No method is best, because {why}.",)
    if len(best) > 1:
        what = "regret" if _measured(rows[best[0]], "regret_mean") else "rank"
        value = rows[best[0]][f"{what}_mean"]
        assert isinstance(value, float)
        return (f"{start} {_and(best)} are tied as best, with a mean {what} of {number_text(value)}.",)
    place = "was run alone" if len(methods) == 1 else "is best"
    return (f"{start} {best[0]} {place}: {_result('its', rows[best[0]])}.",)


def _result(owner: str, row: Row) -> str:
    if _measured(row, "regret_mean"):
        return f"{owner} final regret is {with_interval(row, 'regret_mean')}"
    rank = row["rank_mean"]
    place = f"its mean rank is {number_text(rank)}" if isinstance(rank, float) else "nor is its rank"
    return f"{owner} final regret is not measured, {place}"


def _rivals(rows: Rows, classical: list[str]) -> str:
    """Regrets of the best methods without a language model and of exact random search."""
    named = [name for name in (*_best(rows, classical), EXACT) if name in rows and _measured(rows[name], "regret_mean")]
    rivals = [f"{with_interval(rows[name], 'regret_mean')} for {name}" for name in named]
    return f", versus {_and(rivals)}" if rivals else ""


def _best(rows: Rows, methods: list[str]) -> list[str]:
    """The methods with the lowest mean regret, or with the lowest mean rank if regret is not measured for all.

    Several if they are exactly equal; none if no method has a result.
    """
    measured = [method for method in methods if _has_result(rows[method])]
    for key in ("regret_mean", "rank_mean"):
        values = {method: value for method in measured if isinstance(value := rows[method][key], float)}
        if values and len(values) == len(measured):
            lowest = min(values.values())
            return [method for method, value in values.items() if math.isclose(value, lowest, rel_tol=1e-9)]
    return []


def _has_result(row: Row) -> bool:
    """Whether any of its compared runs has one."""
    counts = [row.get(key) for key in ("runs", "runs_without_valid", "runs_only_below")]
    runs, *without = [count if isinstance(count, int) else 0 for count in counts]
    return runs > sum(without)


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _measured(row: Row, key: str) -> bool:
    return row[key] is not None
