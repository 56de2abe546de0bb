"""The training process: one job per input line, one answer per output line.

A line before the answer reports that the training has begun: the time before it (start of the process and of the
trainer, which reads its data) counts neither for the evaluation nor for its limit.

Trainers are built when first needed, and kept. This process ends with its parent.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from benchmarks.shared.measures import ENERGY
from harness.meters.processor_energy import joules_between, read_counters

BEGUN = {"begun": True}
_trainers: dict[str, Any] = {}


def main() -> None:
    """Answer jobs until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent, which ends this process
    warnings.filterwarnings("ignore")  # a model that did not converge is data
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries must not mix with the answers
    jobs: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()

    def say(line: dict[str, Any]) -> None:
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    while True:
        say(train(**json.loads(jobs.get()), begins=lambda: say(BEGUN)))


def _listen(jobs: queue.Queue[str]) -> None:
    """Pass jobs on; exit at the end of the input, because then the parent has ended."""
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)


def train(
    trainer: str,
    settings: dict[str, Any],
    params: dict[str, Any],
    fidelity: dict[str, float],
    seed: int,
    begins: Callable[[], None],
) -> dict[str, Any]:
    """Run one evaluation.

    Args:
        trainer: The trainer's class, as "module:name".
        settings: The trainer's arguments.
        params: A valid configuration.
        fidelity: Value of every fidelity.
        seed: Seed of the training.
        begins: Called when the trainer is built and the training begins.

    Returns:
        ``values`` and ``seconds``, without the time for building the trainer; or the ``failure`` in one line, and
        ``seconds``.
    """
    clock = time.perf_counter()
    try:
        known = _built(trainer, settings)
        begins()
        clock = time.perf_counter()
        counters = read_counters()
        with _one_thread():
            measures = known.train(params, fidelity, seed)
        joules = joules_between(counters, read_counters())
        values = {name: float(value) for name, value in measures.items()}
    except Exception as error:
        text = " ".join(str(error).split())
        return {"failure": f"{type(error).__name__}: {text}"[:500], "seconds": time.perf_counter() - clock}
    if joules is not None:
        values[ENERGY.name] = joules
    seconds = values.pop("evaluation_seconds", time.perf_counter() - clock)
    return {"values": values, "seconds": seconds}


def _built(trainer: str, settings: dict[str, Any]) -> Any:
    key = json.dumps([trainer, settings], sort_keys=True)
    if key not in _trainers:
        module, _, name = trainer.partition(":")
        _trainers[key] = getattr(importlib.import_module(module), name)(**settings)
    return _trainers[key]


def _one_thread() -> contextlib.AbstractContextManager[Any]:
    """Limit linear algebra to one thread: runs share the machine, and results must not depend on its size."""
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    limits: contextlib.AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limits


if __name__ == "__main__":
    main()
