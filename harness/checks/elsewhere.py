"""The same run in a process in which nothing has run before: what one run leaves behind cannot help another."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any

from harness.build import build_benchmark
from harness.checks.bench import Bench
from harness.checks.benchmark_checks import REPEATED
from harness.checks.stage import Stage
from harness.checks.witness import BrokenError, given_by
from harness.contract import named

OTHER_SEED = 1


def _fresh(function: Callable[[Any], list[Any]], given: Any) -> list[Any]:
    """What a function of this module returns in another process.

    Raises:
        BrokenError: The process died.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, given).result()
        except BrokenProcessPool as error:
            raise BrokenError("the process died.") from error


def decided_elsewhere(stages: Sequence[Stage]) -> list[Any]:
    """What each decides with another seed, in one fresh process, in this order.

    Raises:
        BrokenError: One cannot be played to the end there.
    """
    return _fresh(_decided, [replace(stage) for stage in stages])


def _decided(stages: Sequence[Stage]) -> list[Any]:
    return [stage.play(seed=OTHER_SEED).decided for stage in stages]


def measured_elsewhere(config: Mapping[str, Any]) -> list[Any]:
    """What a benchmark measures at its first configurations, in a fresh process.

    Raises:
        BrokenError: It cannot be built there.
    """
    return _fresh(_measured, dict(config))


def _measured(config: Mapping[str, Any]) -> list[Any]:
    benchmark = given_by(lambda: build_benchmark(config), "The benchmark's __init__", "built in a fresh process")
    bench = Bench(lambda: benchmark, benchmark)
    return [bench.answer(place).measured for place in range(min(REPEATED, len(bench.configurations)))]


def measured_otherwise(bench: Bench, elsewhere: Sequence[Any]) -> Iterator[str]:
    """What a benchmark takes from the process.

    Args:
        bench: In this process.
        elsewhere: What it measured in another one (``measured_elsewhere``).
    """
    if any(bench.answer(place).measured != measured for place, measured in enumerate(elsewhere)):
        yield (
            f"{bench.who}.evaluate returns something else in a fresh process; it may follow the order of a set or "
            "hash() of a text, which differ from process to process."
        )


def left_behind(stage: Stage, elsewhere: Any) -> Iterator[str]:
    """What an optimizer keeps for the next run of its process, or takes from the process.

    Args:
        stage: On which other runs were played in this process.
        elsewhere: What it decided in another one (``decided_elsewhere``).
    """
    run = stage.play(seed=OTHER_SEED)
    if run.decided != elsewhere:
        yield (
            f"{named(run.optimizer)} proposes otherwise in a fresh process: it keeps something from run to run, or "
            "follows the order of a set or hash() of a text, which differ from process to process; sort what has no "
            "order, and keep everything in self."
        )
