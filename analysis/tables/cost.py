"""Cost per run: language-model calls, tokens, seconds by activity, and energy."""

from __future__ import annotations

import polars as pl

from analysis.present.table import OVER_WHOLE_RUNS, Column, Entry, Findings, Table, frame_of
from analysis.runs.calls import most_at_once, read_calls, read_spans, waited_seconds
from analysis.runs.load import Experiment, Run
from analysis.runs.recorded_sweeps import read_sweeps
from analysis.stats.joules import KINDS, measured_kinds, run_joules
from harness.trial import USAGE

COLUMNS = (
    Column("method", ("method",), "text"),
    Column("runs", ("runs",), "count"),
    *(Column(each.heading, (each.column,)) for each in sorted(USAGE, key=lambda each: each.unit == "s")),
    Column("per call (s)", ("call_seconds",)),
    Column("per trial (s)", ("trial_seconds",)),
    Column("waiting (s)", ("waited_seconds",)),
    Column("in flight", ("in_flight",)),
    Column("max. in flight", ("most_in_flight",), "count"),
    Column("tokens (1/s)", ("tokens_per_second",)),
    Column("optimizer (s)", ("optimizer_seconds",)),
    Column("evaluation (s)", ("evaluation_seconds",)),
    Column("energy (J)", ("energy_joules",)),
)
OF_CALLS = ("call_seconds", "waited_seconds", "in_flight", "most_in_flight", "tokens_per_second", "energy_joules")
"""Columns without a meaning for methods without calls."""

_CLOCK_SLACK_SECONDS = 0.01  # calls' starts are recorded in milliseconds, so the waiting may seem slightly longer


def cost_table(experiment: Experiment) -> Table:
    """One row per method: means over all of its complete runs. Each cost has its own column; they are not added up."""
    runs = _run_costs(experiment)
    averaged = [key for key in runs.columns if key not in {"method", "run", "trials", "ask_seconds", "most_in_flight"}]
    by_method = {
        row["method"]: row
        for row in runs.group_by("method", maintain_order=True)
        .agg(
            pl.len().alias("runs"),
            *(_mean_of_known(key) for key in averaged),
            _ratio("call_seconds", "llm_seconds", "calls"),
            _ratio("trial_seconds", "ask_seconds", "trials"),
            _ratio("in_flight", "llm_seconds", "waited_seconds"),
            _ratio("tokens_per_second", "completion_tokens", "waited_seconds"),
            pl.col("most_in_flight").max(),
        )
        .to_dicts()
    }
    rows = [by_method[method] for method in experiment.methods]
    notes = [
        "Means per run. LLM (s): sum of the calls' latencies; per call (s): mean over all calls, each attempt counted "
        "as a call; per trial (s): mean time of one ask; waiting (s): time with at least one call in flight; in "
        "flight: LLM (s) / waiting (s), the mean number of calls in flight while waiting; tokens (1/s): completion "
        "tokens per second of waiting, with other runs on the same server; optimizer (s): time of asking without "
        "waiting; evaluation (s): as measured or tabulated by the benchmark.",
    ]
    if kinds := measured_kinds(read_sweeps(experiment)):
        notes.append(
            f"energy (J): energy of all {' and all '.join(f'{KINDS[kind]}s' for kind in kinds)} of the machine while "
            "the runs' commands ran, divided among the runs by prompt and completion tokens: an upper bound, since it "
            "includes other processes."
        )
    untimed = experiment.trials["failed"] & experiment.trials["evaluation_seconds"].is_null()
    if any(row["evaluation_seconds"] is not None for row in rows) and untimed.any():
        notes.append("Failed evaluations are part of evaluation (s) only if their time was measured.")
    calls = [call for run in experiment.runs for call in read_calls(run.folder / "calls.jsonl")]
    if lost := sum(call.usage is None for call in calls):
        notes.append(
            f"Calls in flight when a command was killed: {lost}. They may have been paid; they are not included."
        )
    silent = [(number, key) for number, row in enumerate(rows) if row["calls"] == 0 for key in OF_CALLS]
    return Table("cost", "Cost per run", frame_of(rows, COLUMNS), COLUMNS, tuple(notes), frozenset(silent))


def _run_costs(experiment: Experiment) -> pl.DataFrame:
    """One row per run; sums with an unknown part are null."""
    executed = pl.when(pl.col("executed")).then(pl.col("evaluation_seconds"))
    unknown = pl.col("executed") & ~pl.col("failed") & pl.col("evaluation_seconds").is_null()
    sums = experiment.trials.group_by("method", "run", maintain_order=True).agg(
        pl.len().alias("trials"),
        pl.col("ask_seconds").sum(),
        *(_sum_of_known(name, pl.col(name), pl.col(name).is_null()) for name in (each.column for each in USAGE)),
        _sum_of_known("evaluation_seconds", executed, unknown),
    )
    waits = pl.DataFrame(
        [_waiting(run) for run in experiment.runs],
        schema={"run": pl.String, "waited_seconds": pl.Float64, "most_in_flight": pl.Int64},
    )
    joules = run_joules(experiment)
    energy = pl.DataFrame(
        {"run": list(joules), "energy_joules": list(joules.values())},
        schema={"run": pl.String, "energy_joules": pl.Float64},
    )
    own = pl.col("ask_seconds") - pl.col("waited_seconds")
    joined = sums.join(waits, on="run", how="left", maintain_order="left")
    joined = joined.join(energy, on="run", how="left", maintain_order="left").with_columns(
        waited_seconds=pl.when((pl.col("most_in_flight") > 0) | (pl.col("calls") == 0)).then(pl.col("waited_seconds"))
    )
    return joined.with_columns(optimizer_seconds=pl.when(own >= -_CLOCK_SLACK_SECONDS).then(own.clip(lower_bound=0.0)))


def _waiting(run: Run) -> dict[str, object]:
    spans = read_spans(run.folder / "calls.jsonl")
    return {"run": run.id, "waited_seconds": waited_seconds(spans), "most_in_flight": most_at_once(spans)}


def _sum_of_known(name: str, values: pl.Expr, unknown: pl.Expr) -> pl.Expr:
    return pl.when(~unknown.any()).then(values.sum()).alias(name)


def _mean_of_known(key: str) -> pl.Expr:
    return pl.when(pl.col(key).is_not_null().all()).then(pl.col(key).mean()).alias(key)


def _ratio(name: str, key: str, to: str) -> pl.Expr:
    """The ratio of two sums over all runs of a method."""
    known = pl.col(to).is_not_null().all() & (pl.col(to).sum() > 0)
    return pl.when(known).then(pl.col(key).sum() / pl.col(to).sum()).alias(name)


TABLE = Entry(30, lambda of: Findings((cost_table(of.experiment),)), whole=OVER_WHOLE_RUNS, own_runs=True)
