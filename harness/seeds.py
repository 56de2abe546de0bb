"""Seeds of a run's parts, derived from the run's seed and the task, so that tasks get independent draws.

With equal draws on every task of a space, an average over ten tasks would be no more certain than one task.
The benchmark's evaluations use the run's own seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.jsonl import plain
from harness.method import comparable

PARTS = ("optimizer", "repair", "probe")
"""Parts that draw; each has its own stream."""


def derived_seeds(config: Mapping[str, Any]) -> dict[str, int]:
    """Part -> seed, from 0 to 2^31 - 1, of a new run.

    Runs of one seed and task share them, independent of method, repair and probe: a disguised task starts
    with the draws of the true one. A task differs by its benchmark or any of its settings, except paths.

    Args:
        config: Resolved configuration; its ``seed`` and ``benchmark`` are used.
    """
    task = json.dumps(_spelt(plain(comparable({"benchmark": config.get("benchmark")}))), sort_keys=True)
    words = np.frombuffer(hashlib.sha256(task.encode()).digest(), dtype="<u4").tolist()
    return {
        part: int(np.random.SeedSequence([config["seed"], number, *words]).generate_state(1)[0]) >> 1
        for number, part in enumerate(PARTS)
    }


def recorded_seeds(run: Mapping[str, Any]) -> dict[str, int]:
    """Part -> seed of a recorded run; in records without derived seeds, every part used the run's own."""
    recorded = run.get("seeds") or {}
    return {part: recorded.get(part, run["seed"]) for part in PARTS}


def _spelt(value: Any) -> Any:
    """A value in one spelling: ``31``, ``31.0`` and ``"31"`` name the same task."""
    if isinstance(value, Mapping):
        return {key: _spelt(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelt(item) for item in value]
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
