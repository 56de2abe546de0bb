"""What a method cost: language-model calls, tokens, and seconds by where they were spent."""

from __future__ import annotations

import polars as pl

from analysis.load import Experiment
from analysis.table import Column, Table, frame_of

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    Column("LLM calls", ("calls",)),
    Column("prompt tokens", ("prompt_tokens",)),
    Column("of them cached", ("cached_tokens",)),
    Column("completion tokens", ("completion_tokens",)),
    Column("LLM (s)", ("llm_seconds",)),
    Column("optimizer (s)", ("optimizer_seconds",)),
    Column("evaluation (s)", ("evaluation_seconds",)),
    Column("energy (J)", ("energy_joules",)),
)

_CLOCK_SLACK_SECONDS = 0.005  # a call is timed inside ask by another clock reading: it may seem longer by a hair


def cost_table(experiment: Experiment) -> Table:
    """One row a method: means over all of its complete runs. Each cost is a column of its own: nothing is added up."""
    runs = _run_costs(experiment.trials)
    means = runs.group_by("method", maintain_order=True).agg(
        pl.len().alias("runs"), *(_mean_of_known(key) for key in runs.columns if key not in {"method", "run"})
    )
    by_method = {row["method"]: row for row in means.to_dicts()}
    rows = [by_method[method] for method in experiment.methods]
    notes = [
        "Means per run. LLM (s): sum of the calls' latencies; optimizer (s): time spent asking less LLM (s); "
        "evaluation (s): as the benchmark measured it, tabulated for a table.",
    ]
    if any(row["optimizer_seconds"] is None for row in rows):
        notes.append(
            "Where calls overlap, their latencies exceed the time spent asking: optimizer (s) is not measured."
        )
    if any(row["evaluation_seconds"] is not None for row in rows) and experiment.trials["failed"].any():
        notes.append("Failed evaluations are without a time and are not in evaluation (s).")
    return Table("cost", "Cost per run", frame_of(rows, COLUMNS), COLUMNS, tuple(notes))


def _run_costs(trials: pl.DataFrame) -> pl.DataFrame:
    """One row a run; a sum with an unknown part is null."""
    optimizer = pl.col("ask_seconds") - pl.col("llm_seconds")
    own = pl.when(optimizer >= -_CLOCK_SLACK_SECONDS).then(optimizer.clip(lower_bound=0.0))
    executed = pl.when(pl.col("executed") & ~pl.col("failed")).then(pl.col("evaluation_seconds"))
    unknown = pl.col("executed") & ~pl.col("failed") & pl.col("evaluation_seconds").is_null()
    return trials.group_by("method", "run", maintain_order=True).agg(
        pl.col("calls", "prompt_tokens", "completion_tokens", "llm_seconds").sum(),
        _sum_of_known("cached_tokens", pl.col("cached_tokens"), pl.col("cached_tokens").is_null()),
        _sum_of_known("optimizer_seconds", own, own.is_null()),
        _sum_of_known("evaluation_seconds", executed, unknown),
    )


def _sum_of_known(name: str, values: pl.Expr, unknown: pl.Expr) -> pl.Expr:
    return pl.when(~unknown.any()).then(values.sum()).alias(name)


def _mean_of_known(key: str) -> pl.Expr:
    return pl.when(pl.col(key).is_not_null().all()).then(pl.col(key).mean()).alias(key)
