"""What runs in the process that trains: one trainer, built when it is first needed and kept."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import signal
import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any

from benchmarks.measures import ENERGY
from harness.energy import joules_between, read_counters

_trainers: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a training failed, in one line, and after how many seconds."""

    reason: str
    seconds: float


def begin() -> None:
    """Called once in a new process: it ends with its parent, trains in one thread and warns nobody."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends this process
    warnings.filterwarnings("ignore")  # a model that did not converge is data


def train(
    trainer: str, settings: dict[str, Any], params: dict[str, Any], fidelity: dict[str, float], seed: int
) -> tuple[dict[str, float], float] | Failure:
    """One evaluation.

    Returns:
        The measures and what it cost in seconds, without the time for building the trainer; or the failure.
    """
    clock = time.perf_counter()
    try:
        known = _built(trainer, settings)
        clock = time.perf_counter()
        counters = read_counters()
        with _one_thread():
            measures = known.train(params, fidelity, seed)
        joules = joules_between(counters, read_counters())
    except Exception as error:
        text = " ".join(str(error).split())
        return Failure(f"{type(error).__name__}: {text}"[:500], time.perf_counter() - clock)
    measured = {name: float(value) for name, value in measures.items()}
    if joules is not None:
        measured[ENERGY.name] = joules
    return measured, measured.pop("evaluation_seconds", time.perf_counter() - clock)


def _built(trainer: str, settings: dict[str, Any]) -> Any:
    key = json.dumps([trainer, settings], sort_keys=True)
    if key not in _trainers:
        module, _, name = trainer.partition(":")
        _trainers[key] = getattr(importlib.import_module(module), name)(**settings)
    return _trainers[key]


def _one_thread() -> contextlib.AbstractContextManager[Any]:
    """Linear algebra in one thread: runs share the machine, and sums must not depend on its size."""
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    limits: contextlib.AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limits
