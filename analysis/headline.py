"""What the tables say, in sentences made from their numbers."""

from __future__ import annotations

from analysis.load import Experiment
from analysis.quality import EXACT
from analysis.render import number_text, with_interval
from analysis.table import Table

Row = dict[str, object]


def headlines(experiment: Experiment, quality: Table, hallucination: Table) -> tuple[str, ...]:
    """A sentence for each method with a language model, or one for the best method where there is none."""
    rows = {str(row["method"]): row for row in quality.frame.iter_rows(named=True)}
    faults = {str(row["method"]): row for row in hallucination.frame.iter_rows(named=True)}
    with_llm = {run.method for run in experiment.runs if run.info["llm"] is not None}
    classical = [method for method in experiment.methods if method not in with_llm]
    if not with_llm:
        best = _best(rows, classical)
        return (f"No language model took part. {best} is best: {_result('its', rows[best])}.",) if best else ()
    return tuple(
        f"{method}: {with_interval(faults[method], 'invalid', 100, ' %')} "
        f"of its {faults[method]['proposals']:,} proposals were invalid. "
        f"{_result('Its', rows[method])}{_rivals(rows, classical)}."
        for method in experiment.methods
        if method in with_llm
    )


def _result(owner: str, row: Row) -> str:
    if _measured(row, "regret_mean"):
        return f"{owner} final regret is {with_interval(row, 'regret_mean')}"
    rank = row["rank_mean"]
    place = f"its mean rank is {number_text(rank)}" if isinstance(rank, float) else "nor is its rank"
    return f"{owner} final regret is not measured, {place}"


def _rivals(rows: dict[str, Row], classical: list[str]) -> str:
    """The best method without a language model, and exact random search."""
    best = _best(rows, classical)
    named = [name for name in (best, EXACT) if name in rows and _measured(rows[name], "regret_mean")]
    rivals = [f"{with_interval(rows[name], 'regret_mean')} for {name}" for name in named]
    return f", against {' and '.join(rivals)}" if rivals else ""


def _best(rows: dict[str, Row], methods: list[str]) -> str | None:
    for key in ("regret_mean", "rank_mean"):
        values = {method: value for method in methods if isinstance(value := rows[method][key], float)}
        if values:
            return min(values, key=values.__getitem__)
    return None


def _measured(row: Row, key: str) -> bool:
    return row[key] is not None
