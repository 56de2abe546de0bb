"""The parts of a configuration that define a method."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.names import written
from harness.plumbing import NOTHING, WHEREABOUTS, without_plumbing

GROUPS = ("llm", "prompt", "decoding", "repair", "probe", "start")
"""Groups that can change a method, in the order of its name."""

BUDGET = "budget"
NAMED = (*GROUPS, BUDGET)
"""Groups whose choice can be part of a method's name, in this order; the budget is included."""

ALWAYS_USED = ("repair", "probe", "start")
"""Groups that act on every optimizer; others count only if the optimizer's configuration refers to them."""

DECODING = "llms.decoding.Decoding"


def used_groups(optimizer: Any) -> set[str]:
    """The groups that an optimizer's raw configuration refers to, as in ``chat: ${llm}``."""
    text = str(optimizer)
    return {group for group in GROUPS if group in ALWAYS_USED or re.search(r"\$\{" + group + r"[.}]", text)}


def comparable(config: Any) -> Any:
    """A recorded configuration without settings that change no result (``harness.plumbing``).

    Two configurations are of the same run only if the rest is equal.
    """
    if not isinstance(config, Mapping):
        return config
    kept = {key: comparable(value) for key, value in config.items()}
    if kept.get("_target_") == DECODING:
        kept = {key: value for key, value in with_schema_form(kept).items() if key != "schema" or under_schema(kept)}
    if isinstance(kept.get("benchmark"), Mapping):
        kept["benchmark"] = _task(kept["benchmark"])
    if "recording" not in config:
        return kept
    of_model = {key: without_plumbing(str(key), value) for key, value in kept.items()}
    return {key: value for key, value in of_model.items() if value is not NOTHING}


def _task(benchmark: Mapping[str, Any]) -> dict[str, Any]:
    """A benchmark's settings without its paths; ``31``, ``31.0`` and ``"31"`` name the same task."""
    kept = {key: value for key, value in benchmark.items() if key not in WHEREABOUTS}
    task = kept.get("task")
    if isinstance(task, int | float) and not isinstance(task, bool):
        kept["task"] = written(task)
    return kept


def with_schema_form(decoding: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded decoding with its schema form; records older than this setting used the flat form."""
    return {"schema": "flat", **decoding}


def under_schema(decoding: Mapping[str, Any]) -> bool:
    """Whether a decoding uses a schema, so that the schema's form matters."""
    return decoding.get("mode") == "json_schema"
