"""The columns of the four frames: type, meaning and null. The documentation's tables are generated from this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from harness.trial import USAGE

Type = pl.DataType | type[pl.DataType]


@dataclass(frozen=True, slots=True)
class Field:
    """One column.

    Attributes:
        name: Name of the column.
        type: Polars type of the values.
        says: Meaning of the values, with the unit.
        null: When it is null, or "never".
    """

    name: str
    type: Type
    says: str
    null: str = "never"


_PLACE = (
    Field("run", pl.String, "Id of the run: its folder below the experiment's, the key that joins all four frames"),
    Field("method", pl.String, "Method, by its name in tables"),
    Field("task", pl.String, "`<benchmark>.<task>`"),
    Field("seed", pl.Int64, "Seed of the run"),
)
_USAGE = {
    each.name: Field(
        each.column,
        pl.Int64 if each.whole else pl.Float64,
        each.says,
        each.null_when,
    )
    for each in USAGE
}
OF_A_CALL = tuple(each for each in USAGE if each.name not in ("calls", "seconds"))
"""The quantities of the frame of calls under their own names; the other two are its attempts and seconds."""
_NOT_EVALUATED = "not evaluated at the highest fidelity, or not finite"
_UNSURE = "older record, from before `off_grid` was a fault"
_NO_MODEL = "no model answered, or a call is not recorded"
_IN_FLIGHT = "it was in flight when its process was killed"
_NO_REPLY = f"it was given up, or {_IN_FLIGHT}"


def _or_in_flight(field: Field) -> Field:
    return replace(field, null=_IN_FLIGHT if field.null == "never" else f"{field.null}, or {_IN_FLIGHT}")


RUNS = (
    *_PLACE,
    Field("benchmark", pl.String, "`benchmark=` of the run"),
    Field("optimizer", pl.String, "`optimizer=` of the run"),
    Field("llm", pl.String, "`llm=` of the run", "the method uses no language model"),
    Field("objective", pl.String, "Name of the first objective, by which methods are compared"),
    Field("direction", pl.String, "`minimize` or `maximize`, for the first objective as reported"),
    Field("optimum", pl.Float64, "Best possible value of the first objective, as reported", "not known"),
    Field("trials", pl.Int64, "Number of trials"),
    Field("incumbent", pl.Float64, "Lowest loss of the first objective at the highest fidelity", "no such trial"),
    Field("best", pl.Float64, "The incumbent as reported (its sign is that of the objective)", "no such trial"),
    Field("started_at", pl.String, "Start, ISO 8601", "older record"),
    Field("finished_at", pl.String, "End, ISO 8601", "older record"),
    Field("host", pl.String, "Machine", "older record"),
    Field("commit", pl.String, "Git commit of the checkout", "no checkout"),
    Field("folder", pl.String, "Path of the run's folder"),
)
TRIALS = (
    _PLACE[0],
    Field("index", pl.Int64, "0-based position in the run"),
    Field("loss", pl.Float64, "First objective, minimized", _NOT_EVALUATED),
    Field("losses", pl.List(pl.Float64), "All objectives, minimized, in the order of run.json", _NOT_EVALUATED),
    Field("below", pl.Boolean, "Evaluated successfully below the highest fidelity"),
    Field("fidelity", pl.String, "Fidelity in words", "the highest"),
    Field("loss_below", pl.Float64, "First objective below the highest fidelity", "not evaluated there"),
    Field("test", pl.Float64, "Test score of the first objective, as reported", "not recorded"),
    Field("invalid", pl.Boolean, "Has at least one violation"),
    Field("executed", pl.Boolean, "A configuration was executed: the proposed one, or a repaired one"),
    Field("failed", pl.Boolean, "The evaluation failed"),
    Field("error", pl.String, "Why it failed", "it did not fail"),
    Field("faults", pl.List(pl.String), "Faults of the proposal, each once, in the order of the log; empty if valid"),
    Field("off_steps", pl.List(pl.Float64), "Distance of each off-grid number to its nearest level, in steps"),
    Field("outside", pl.Int64, "Number of proposed numbers that are not among the choices"),
    Field("confused", pl.Int64, "Number of off-grid or non-choice numbers that are a level of another hyperparameter"),
    Field("invented", pl.Boolean, "Has a fault of that group", _UNSURE),
    Field("imprecise", pl.Boolean, "Has a fault of that group", _UNSURE),
    Field("redundant", pl.Boolean, "Has a fault of that group", _UNSURE),
    Field("unreadable", pl.Boolean, "Has a fault of that group", _UNSURE),
    Field("filed", pl.String, "The fault under which it counts in figures that count it once", "valid"),
    Field("duplicate", pl.Boolean, "Proposed earlier in the run, at the same fidelity"),
    Field("near_duplicate", pl.Boolean, "Equal to an earlier proposal after rounding", "older record"),
    Field("proposer", pl.String, "`start`, `model`, `classical` or `random`", "not reported by the method"),
    Field("repaired", pl.Boolean, "The proposal was repaired before it was executed"),
    Field("repeated", pl.Boolean, "The executed configuration was evaluated earlier in the run"),
    Field("replies", pl.Int64, "Number of replies that the proposal was read from"),
    Field("copy", pl.Boolean, "Its prompt shows the same configuration", _NO_MODEL),
    Field("refusal", pl.Boolean, "Nothing could be read because the model refused", _NO_MODEL),
    Field("cut_off", pl.Boolean, "A reply hit its token limit", f"{_NO_MODEL}, or there is no finish reason"),
    Field("predicted", pl.Float64, "Value predicted by the method, as reported", "no prediction"),
    Field("ask_seconds", pl.Float64, "Wall time of the ask in seconds, including language-model latency"),
    Field("evaluation_seconds", pl.Float64, "Cost of the evaluation in seconds", "not evaluated, or not measured"),
    *_USAGE.values(),
    Field("candidates", pl.Int64, "Number of configurations drawn from a model in the ask, including the proposed one"),
    Field("candidates_invalid", pl.Int64, "Number of candidates with a fault"),
    Field(
        "snap_steps", pl.Float64, "Mean distance to the nearest levels, in steps", "`benchmark.space` is not nearest"
    ),
    Field("snap_steps_max", pl.Float64, "Largest of these distances, in steps", "`benchmark.space` is not nearest"),
    *_PLACE[1:],
)
VIOLATIONS = (
    *_PLACE,
    Field("index", pl.Int64, "Trial"),
    Field("candidate", pl.Int64, "Number of the candidate in the trial", "violation of the proposal"),
    Field("fault", pl.String, "One of the ten faults"),
    Field("group", pl.String, "`invented`, `imprecise`, `redundant` or `unreadable`", _UNSURE),
    Field("name", pl.String, "Hyperparameter", "the fault is of the whole proposal"),
    Field("value", pl.String, "Offending value as JSON"),
    Field("steps", pl.Float64, "Distance to the nearest level in steps, from 0 to 0.5", "the fault is not `off_grid`"),
    Field("confused", pl.String, "Another hyperparameter with this value among its levels", "there is none"),
)
CALLS = (
    *_PLACE,
    Field("id", pl.Int64, "Number of the call in the run", _NO_REPLY),
    Field("index", pl.Int64, "First trial that refers to the call", "none does"),
    Field("started_at", pl.String, "Start, ISO 8601"),
    Field("seconds", pl.Float64, "Latency in seconds, including waits between attempts", _IN_FLIGHT),
    Field("attempts", pl.Int64, "Number of requests sent", _IN_FLIGHT),
    *(_or_in_flight(_USAGE[each.name]) for each in OF_A_CALL),
    Field("finish_reason", pl.String, "`stop`, `length`, or another one of the server", _NO_REPLY),
    Field("mode", pl.String, "`decoding.mode` of the request", f"older record, or {_IN_FLIGHT}"),
    Field("temperature", pl.Float64, "Sampling temperature", f"older record, or {_IN_FLIGHT}"),
    Field("max_tokens", pl.Int64, "Token limit of the reply", f"older record, or {_IN_FLIGHT}"),
    Field("reply", pl.String, "The raw reply: untrusted text", _NO_REPLY),
    Field("error", pl.String, "Why it has no reply", "it was answered"),
    Field("server", pl.String, "Base URL", "older record"),
    Field("model", pl.String, "The server's name of the model", "older record"),
)
FRAMES = {"runs": RUNS, "trials": TRIALS, "violations": VIOLATIONS, "calls": CALLS}


def schema_of(fields: Sequence[Field]) -> dict[str, Type]:
    """Column -> type, as a polars schema."""
    return {field.name: field.type for field in fields}
