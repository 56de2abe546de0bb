"""Parallel evaluations of a table."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Sequence
from typing import Any

from benchmarks.tabulate.tabulate_plan import Cell, Plan
from harness.loop import evaluated
from harness.problem import Benchmark, below_highest
from harness.trial import Proposal, Trial

Rows = Generator[dict[str, Any], None, None]


def side_by_side(todo: Iterable[Cell], plan: Plan, benchmarks: Sequence[Benchmark]) -> Rows:
    """Rows in order of completion, from one thread per benchmark; each benchmark has its own training process.

    After it is closed, no evaluation is started. The threads are daemons: they and their training processes end with
    this process.
    """
    results: queue.Queue[dict[str, Any] | BaseException | None] = queue.Queue()
    cells, lock, closed = iter(todo), threading.Lock(), threading.Event()

    def work(benchmark: Benchmark) -> None:
        try:
            while True:
                with lock:
                    cell = next(cells, None)
                if cell is None or closed.is_set():
                    break
                results.put(_row(benchmark, plan, cell))
        except BaseException as error:
            results.put(error)
        results.put(None)

    for benchmark in benchmarks:
        threading.Thread(target=work, args=[benchmark], daemon=True).start()
    working = len(benchmarks)
    try:
        while working:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            if result is None:
                working -= 1
            else:
                yield result
    finally:
        closed.set()


def _row(benchmark: Benchmark, plan: Plan, cell: Cell) -> dict[str, Any]:
    """One evaluation, made and recorded as in the loop of a run."""
    params, fidelity = plan.configurations[cell[0]], plan.fidelities[cell[1]]
    level = below_highest(fidelity, benchmark.problem)
    trial = evaluated(Trial(0, Proposal(dict(params), level), params=dict(params)), benchmark, cell[2])
    measures = None
    if trial.outcome is not None:
        values = {known.name: known.value(trial.outcome.losses[known.name]) for known in benchmark.problem.objectives}
        measures = {**values, **trial.outcome.metrics}
    return {"cell": cell, "measures": measures, "seconds": trial.evaluation_seconds, "error": trial.error}
