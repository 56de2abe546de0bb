"""Descriptions of an OpenML task for prompts, by level: ``statistics`` (no names), ``names``, ``full``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.openml.openml_task import OpenMLTask

FOLDER = Path(__file__).parent / "contexts"
"""Files that ``write_contexts`` made for tabular benchmarks, which do not load the data:
``<benchmark>.<task>.json``, with the parts by level."""

MOST_FEATURES = 60
MOST_CATEGORIES = 8
MOST_CLASSES = 20
MOST_CHARACTERS = 2000


def contexts(task: OpenMLTask, model: str) -> dict[str, str]:
    """The three texts; each level includes those before it.

    Args:
        task: The data.
        model: A sentence about the model, with which each text begins.
    """
    return _told(parts(task), model)


def features_in_words(task: OpenMLTask) -> str:
    """Number of features, and of those that are left out: ``18 features``."""
    count, unused = task.features.shape[1], task.features.shape[1] - len(task.usable)
    return f"{count} features" + (f" ({unused} of them text or dates, left out)" if unused else "")


def written_contexts(name: str, model: str) -> dict[str, str]:
    """The same texts from a task's file; empty if there is none.

    Args:
        name: ``<benchmark>.<task>``.
        model: As in ``contexts``.
    """
    path = FOLDER / f"{name}.json"
    return _told(json.loads(path.read_text(encoding="utf-8")), model) if path.is_file() else {}


def parts(task: OpenMLTask) -> dict[str, str]:
    """The text that each level adds to the one before it; ``full`` may add nothing."""
    return {"statistics": _statistics(task), "names": _names(task), "full": _full(task)}


def _told(known: Mapping[str, str], model: str) -> dict[str, str]:
    statistics = f"{model}\n{known['statistics']}"
    names = f"{statistics}\n{known['names']}"
    return {"statistics": statistics, "names": names, "full": f"{names}\n{known['full']}".strip()}


def _statistics(task: OpenMLTask) -> str:
    """Statistics of the training part; the test fold is never described."""
    import numpy as np

    features = task.features.iloc[task.train]
    values = task.values[task.train]
    lines = [
        f"Training rows: {len(features)}.",
        f"Features: {features.shape[1]}, of which {sum(task.categorical)} are categorical{_and_unused(task)}.",
        f"Missing values: {_share(float(features.isna().to_numpy().mean()))} of all, "
        f"in {int(features.isna().any().sum())} features.",
    ]
    if task.kind == "classification":
        shares = np.sort(np.bincount(values, minlength=len(task.classes)) / len(values))[::-1]
        listed = _listed([_share(float(share)) for share in shares], MOST_CLASSES)
        lines.append(f"Classes: {len(task.classes)}, with these shares of the rows: {listed}.")
    else:
        lines.append(f"Target: mean {values.mean():.4g}, standard deviation {values.std():.4g}.")
    return "\n".join(lines)


def _and_unused(task: OpenMLTask) -> str:
    unused = task.features.shape[1] - len(task.usable)
    return f" and {unused} are text, which the model is not given" if unused else ""


def _names(task: OpenMLTask) -> str:
    features, usable = [], frozenset(task.usable)
    for name, categorical in zip(task.features.columns, task.categorical, strict=True):
        column = task.features[name]
        plain = "number" if name in usable else "text, left out"
        known = [str(value) for value in column.cat.categories] if categorical and hasattr(column, "cat") else None
        features.append(f"{name} ({plain})" if known is None else f"{name} ({_listed(known, MOST_CATEGORIES)})")
    lines = [f"Data set: {task.name}.", f"Target: {task.target}."]
    if task.classes:
        lines.append(f"Classes: {_listed(task.classes, MOST_CLASSES)}.")
    return "\n".join([*lines, f"Features: {_listed(features, MOST_FEATURES, '; ')}."])


def _full(task: OpenMLTask) -> str:
    parts = []
    if task.description:
        text = task.description
        parts.append(
            f"Description: {text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS].rstrip() + ' ...'}"
        )
    if task.qualities:
        parts.append("Meta-features: " + _listed([f"{key} {value:.6g}" for key, value in task.qualities.items()], 120))
    return "\n".join(parts)


def _listed(items: Iterable[str], most: int, comma: str = ", ") -> str:
    listed = list(items)
    more = f"{comma}and {len(listed) - most} more" if len(listed) > most else ""
    return comma.join(listed[:most]) + more


def _share(share: float) -> str:
    return f"{100 * share:.3g} %"
