"""Refuse data on which every training would fail, or all configurations would be equal.

Families that train on an ``OpenMLTask`` check this when they are built, before the budget is spent on failures.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.openml.openml_task import OpenMLTask
from benchmarks.training.holdout import Rows, Split
from harness.errors import SettingError

LARGEST = float(np.finfo(np.float32).max)
"""Trees compute in 32 bits, and scikit-learn refuses larger numbers."""


def refuse_untrainable(task: OpenMLTask, splits: Callable[[], Sequence[Split]], most_categories: int | None) -> None:
    """Check that models can be trained on the data, and can differ.

    Args:
        task: The data.
        splits: Returns the training and validation rows; called if the data can be split.
        most_categories: Largest number of columns per categorical feature; None for one per category.

    Raises:
        SettingError: They cannot; the message says why.
    """
    reason = _about_target(task) or _about_features(task) or _about_memory(task, most_categories)
    if reason is None:
        try:
            reason = next(filter(None, (_about_fit(task, kept) for kept, _ in splits())), None)
        except ValueError as error:
            reason = f"its training part cannot be split ({' '.join(str(error).split()).rstrip('.')})"
    if reason is not None:
        raise refusal(task, reason)


def refusal(task: OpenMLTask, reason: str) -> SettingError:
    """The error for data on which no model can be tuned.

    Args:
        task: The data.
        reason: The reason, to follow a colon.
    """
    what = f"OpenML task {task.task_id} ({task.name})" if task.task_id else f"The data set {task.name}"
    return SettingError(f"No model can be tuned on {what}: {reason}; choose another task.")


def _about_target(task: OpenMLTask) -> str | None:
    values = task.values[task.train]
    if not len(values) or not len(task.test):
        part = "test" if len(values) else "training"
        return f"no row of the {part} part of its split has a value of the target {task.target!r}"
    distinct, counts = np.unique(values, return_counts=True)
    if task.kind == "regression":
        if not np.isfinite(task.values[np.concatenate([task.train, task.test])]).all():
            return f"the target {task.target!r} holds infinite values"
        return f"the target {task.target!r} is constant in the training part" if len(distinct) < 2 else None
    if len(distinct) < 2:
        return f"all rows of the training part have the same class, {task.classes[int(distinct[0])]!r}"
    if counts.max() < 2:
        return f"no class of the target {task.target!r} has two rows in the training part ({len(values)} rows)"
    return None


def _about_features(task: OpenMLTask) -> str | None:
    usable = frozenset(task.usable)
    if not usable:
        count = task.features.shape[1]
        return "it has no features" if not count else f"its features are text or dates only ({count} of {count})"
    rows = np.concatenate([task.train, task.test])
    for name, categorical in zip(task.features.columns, task.categorical, strict=True):
        if name in usable and not categorical:
            largest = np.abs(task.features[name].to_numpy()[rows])
            if (largest > LARGEST).any():
                return f"feature {name!r} holds {np.nanmax(largest):g}, more than a 32-bit number can"
    return None


def _about_fit(task: OpenMLTask, rows: Rows) -> str | None:
    if task.kind == "classification" and len(found := np.unique(task.values[rows])) < 2:
        return f"without its validation rows the training part has a single class, {task.classes[int(found[0])]!r}"
    part = task.features[list(task.usable)].iloc[rows]
    if not any(part[name].nunique(dropna=part[name].dtype != "category") > 1 for name in part.columns):
        return f"none of its {part.shape[1]} numeric and categorical features varies in the training rows"
    return None


def _about_memory(task: OpenMLTask, most_categories: int | None) -> str | None:
    """Whether memory suffices. One-hot columns are dense floats, and running out of memory fails every evaluation."""
    counts = [
        task.features[name].nunique() + 1 if task.features[name].dtype == "category" else 1 for name in task.usable
    ]
    columns = sum(counts if most_categories is None else [min(count, most_categories) for count in counts])
    needed, memory = 8 * columns * len(task.train), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 2 * needed <= memory:
        return None
    return (
        f"{columns} columns of numbers and categories for {len(task.train)} training rows need twice "
        f"{needed / 2**30:.0f} GiB, and this machine has {memory / 2**30:.0f} GiB"
    )
