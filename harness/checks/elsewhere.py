"""The same run in a fresh process, to find state that is kept between runs."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any

from harness.build import build_benchmark
from harness.checks.benchmark_checks import REPEATED
from harness.checks.evaluations import Bench
from harness.checks.stage import Stage
from harness.checks.witness import BrokenError, given_by
from harness.contract import named

OTHER_SEED = 1


def _fresh(function: Callable[[Any], list[Any]], given: Any) -> list[Any]:
    """Call a function of this module in another process.

    Raises:
        BrokenError: The process died.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, given).result()
        except BrokenProcessPool as error:
            raise BrokenError(
                "Python crashed, or had too little memory, when this was repeated in a fresh process."
            ) from error


def decided_elsewhere(stages: Sequence[Stage]) -> list[Any]:
    """Decisions of each optimizer with another seed, in one fresh process, in this order.

    Raises:
        BrokenError: A run does not reach its end.
    """
    return _fresh(_decided, [replace(stage) for stage in stages])


def _decided(stages: Sequence[Stage]) -> list[Any]:
    return [stage.play(seed=OTHER_SEED).decided for stage in stages]


def measured_elsewhere(config: Mapping[str, Any]) -> list[Any]:
    """Measurements of a benchmark at its first configurations, in a fresh process.

    Raises:
        BrokenError: It cannot be built there.
    """
    return _fresh(_measured, dict(config))


def _measured(config: Mapping[str, Any]) -> list[Any]:
    benchmark = given_by(lambda: build_benchmark(config), "The benchmark's __init__", "built in a fresh process")
    bench = Bench(lambda: benchmark, benchmark)
    return [bench.answer(place).measured for place in range(min(REPEATED, len(bench.configurations)))]


def measured_otherwise(bench: Bench, elsewhere: Sequence[Any]) -> Iterator[str]:
    """Check whether a benchmark depends on the process.

    Args:
        bench: The bench in this process.
        elsewhere: Measurements in another process (``measured_elsewhere``).
    """
    if any(bench.answer(place).measured != measured for place, measured in enumerate(elsewhere)):
        yield (
            f"{bench.who}.evaluate returns something else in a fresh process; it may depend on the order of a set or "
            "hash() of a text, which differ between processes."
        )


def left_behind(stage: Stage, elsewhere: Any) -> Iterator[str]:
    """Check whether an optimizer depends on the process or on earlier runs in it.

    Args:
        stage: The stage, with earlier runs in this process.
        elsewhere: Decisions in another process (``decided_elsewhere``).
    """
    run = stage.play(seed=OTHER_SEED)
    if run.decided != elsewhere:
        yield (
            f"{named(run.optimizer)} proposes differently in a fresh process: it keeps state between runs, or "
            "depends on the order of a set or hash() of a text, which differ between processes; sort sets, "
            "and keep all state in self."
        )
