"""Is the result the language model's? Repeated proposals, and the model's share of proposals and of the best found."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from analysis.present.table import Column
from analysis.runs.comparison import Comparison
from analysis.runs.load import Experiment
from analysis.runs.regret import incumbent_trials
from harness.faults import Group
from harness.trial import Proposer

Cells = dict[str, object]

LEAST_MODEL_PROPOSALS = 8
"""In a run, on average: with fewer, beside proposals of others or a longer start, a result is hardly the model's.

LLINBO's warm start alone is one for each hyperparameter, five or six on most tables here, and Centaur's model makes
three proposals of twenty.
"""
INVENTED = Column("hallucination (%)", (Group.INVENTED,), "percent")
REPEATED = Column("repeated (%)", ("repeated",), "percent")
OF_THE_MODEL = (
    Column("by the model (%)", ("model_share",), "percent"),
    Column("best by the model (%)", ("model_best",), "percent"),
)
"""Shown where a method has a language model."""


def authorship_columns(experiment: Experiment) -> tuple[Column, ...]:
    """The hallucination rate and repetition, and the model's shares, where there is a model."""
    return (INVENTED, REPEATED, *OF_THE_MODEL) if with_model(experiment) else (REPEATED,)


def with_model(experiment: Experiment) -> frozenset[str]:
    """The methods that have a language model."""
    return frozenset(run.method for run in experiment.runs if run.info["llm"] is not None)


def authorship_cells(experiment: Experiment, block: Comparison, method: str) -> Cells:
    """Shares of one method over its compared runs; null where a row does not say who proposed it."""
    trials = _compared(experiment, block, method)
    if not trials.height:
        return {}
    invented = trials[Group.INVENTED]
    repeated = int(trials["repeated"].sum()) / trials.height
    best = incumbent_trials(trials)
    models = pl.Series(best["proposer"] == Proposer.MODEL) & ~best["repaired"]
    return {
        Group.INVENTED: None if invented.has_nulls() else int(invented.sum()) / trials.height,
        "repeated": repeated,
        "model_share": None if trials["proposer"].has_nulls() else _models(trials) / trials.height,
        "model_best": None if best.is_empty() or best["proposer"].has_nulls() else int(models.sum()) / best.height,
    }


def little_by_the_model(experiment: Experiment, block: Comparison) -> dict[str, str]:
    """The methods whose model made too few proposals, each with how many in words; where rows do not say, none."""
    found = {}
    for method in (name for name in block.methods if name in with_model(experiment)):
        trials = _compared(experiment, block, method)
        who = trials["proposer"]
        others = who.is_in([Proposer.CLASSICAL, Proposer.RANDOM]).any()
        if who.has_nulls() or not (others or (who == Proposer.START).sum() > _models(trials)):
            continue  # a short run that is all the model's, but for a start, is its own
        runs = trials["run"].n_unique()
        if _models(trials) < LEAST_MODEL_PROPOSALS * runs:
            found[method] = f"{_models(trials) / runs:.3g} of {trials.height / runs:.3g}"
    return found


def authorship_notes(experiment: Experiment, little: dict[str, str], mark: str) -> Sequence[str]:
    """What the columns mean, and which methods are marked."""
    notes = ["Repeated: of all proposals, those of a configuration that was evaluated before in the same run."]
    if with_model(experiment):
        notes.append(
            "Hallucination: of all proposals, those in which something is invented (see that table). "
            "By the model: of all proposals, a start's included, the language model's. Best by the model: of the "
            "runs' final incumbents, those that the model proposed first; what a repair executed instead is nobody's."
        )
    if little:
        listed = ", ".join(f"{method}: {share}" for method, share in little.items())
        notes.append(
            f"{mark} The language model had too small a part in the result that carries its name: it made fewer than "
            f"{LEAST_MODEL_PROPOSALS} proposals per run ({listed})."
        )
    return notes


def _compared(experiment: Experiment, block: Comparison, method: str) -> pl.DataFrame:
    return experiment.trials.filter(
        pl.col("method") == method,
        pl.col("task").is_in([task.name for task in block.tasks]),
        pl.col("seed").is_in(block.seeds),
    )


def _models(trials: pl.DataFrame) -> int:
    return int((trials["proposer"] == Proposer.MODEL).sum())
