"""Columns on authorship: repeated proposals, and the language model's share of proposals and of incumbents."""

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
"""Mean per run; with fewer, a result is hardly due to the language model.

LLINBO's warm start has one proposal per hyperparameter, five or six on most tables here, and Centaur's model makes
three of twenty proposals.
"""
INVENTED = Column("hallucination (%)", (Group.INVENTED,), "percent")
REPEATED = Column("repeated (%)", ("repeated",), "percent")
OF_THE_MODEL = (
    Column("by the model (%)", ("model_share",), "percent"),
    Column("best by the model (%)", ("model_best",), "percent"),
)
"""Shown if a method has a language model."""


def authorship_columns(experiment: Experiment) -> tuple[Column, ...]:
    """The hallucination rate and repetition, and the model's shares if there is a model."""
    return (INVENTED, REPEATED, *OF_THE_MODEL) if with_model(experiment) else (REPEATED,)


def with_model(experiment: Experiment) -> frozenset[str]:
    """The methods with a language model."""
    return frozenset(run.method for run in experiment.runs if run.info["llm"] is not None)


def authorship_cells(experiment: Experiment, block: Comparison, method: str) -> Cells:
    """Shares of one method over its compared runs; null if a row does not name its proposer."""
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
    """Methods whose model made too few proposals, with the number in words; empty if rows do not tell."""
    found = {}
    for method in (name for name in block.methods if name in with_model(experiment)):
        trials = _compared(experiment, block, method)
        who = trials["proposer"]
        others = who.is_in([Proposer.CLASSICAL, Proposer.RANDOM]).any()
        if who.has_nulls() or not (others or (who == Proposer.START).sum() > _models(trials)):
            continue  # a short run in which the model proposed everything except a start
        runs = trials["run"].n_unique()
        if _models(trials) < LEAST_MODEL_PROPOSALS * runs:
            found[method] = f"{_models(trials) / runs:.3g} of {trials.height / runs:.3g}"
    return found


def authorship_notes(experiment: Experiment, little: dict[str, str], mark: str) -> Sequence[str]:
    """Notes on the columns and on the marked methods."""
    notes = ["Repeated: share of proposals whose configuration was evaluated before in the same run."]
    if with_model(experiment):
        notes.append(
            "Hallucination: share of proposals with an invented fault (see that table). "
            "By the model: share of all proposals, including a start, that the language model made. Best by the model: "
            "share of final incumbents that the model proposed first; a repaired configuration does not count."
        )
    if little:
        listed = ", ".join(f"{method}: {share}" for method, share in little.items())
        notes.append(
            f"{mark} The language model contributed little to this result: it made fewer than "
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
