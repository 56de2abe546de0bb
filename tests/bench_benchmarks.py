"""Cost of an evaluation in each kind of benchmark: part of python -m tests.bench, medians of one run."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.bayesmark.bayesmark import TRAINER, Bayesmark
from benchmarks.hpobench.hpobench_tables import HPOBenchTables
from benchmarks.training.live import Live
from benchmarks.yahpo.yahpo import Yahpo
from harness.problem import Benchmark
from optimizers.shared.draws import Draws
from tests.support import official_table, shared_data

ROUNDS = 5
EVALUATIONS = 200


def main() -> None:
    """Measure and print."""
    surrogates()
    with tempfile.TemporaryDirectory() as folder:
        live(str(Path(folder) / "evaluations.sqlite"))
        table(Path(folder))


def surrogates() -> None:
    """YAHPO: evaluations per second."""
    if not shared_data.FOLDER.is_dir():
        print(f"YAHPO surrogates: not measured, the bench {shared_data.REASON}")
        return
    print(f"YAHPO surrogates, {EVALUATIONS} single evaluations, median of {ROUNDS}:")
    for example in Yahpo.examples:
        benchmark = Yahpo(**example, folder=str(shared_data.FOLDER / "yahpo"))
        print(f"  {example['scenario']:13} {EVALUATIONS / seconds_of(benchmark):7.0f} evaluations a second")


def live(cache: str) -> None:
    """A fast model: trained in this process, in its own, and from the cache."""
    from benchmarks.bayesmark.bayesmark_trainer import Trainer

    params = Bayesmark("iris", "kNN").problem.default
    here = Trainer("iris", "kNN")
    apart = Live(TRAINER, {"task": "iris", "model": "kNN"}, "bench", 60, cache="none")
    kept = Live(TRAINER, {"task": "iris", "model": "kNN"}, "bench", 60, cache)
    contenders: dict[str, Callable[[], Any]] = {
        "in this process": lambda: here.train(params, {}, 0),
        "in a process of its own": lambda: apart.measure(params, {}, 0),
        "taken from the cache": lambda: kept.measure(params, {}, 0),
    }
    print(f"a live evaluation (5 nearest neighbours on iris), median of {20 * ROUNDS}, by turns:")
    for play in contenders.values():
        play()
    turns = [{name: timed(play) for name, play in contenders.items()} for _ in range(20 * ROUNDS)]
    for name in contenders:
        print(f"  {name:24} {statistics.median(turn[name] for turn in turns) * 1e3:.2f} ms")
    apart.close()
    kept.close()


def table(folder: Path) -> None:
    """A table in HPOBench's Parquet layout, small but with the look-ups of a large one."""
    official_table.write(folder, "svm", 31)
    first = timed(lambda: HPOBenchTables(31, "svm", str(folder)))
    later = timed(lambda: HPOBenchTables(31, "svm", str(folder)))
    seconds = seconds_of(HPOBenchTables(31, "svm", str(folder))) / EVALUATIONS
    print(f"a Parquet table: opened in {first:.3f} s, then in {later:.3f} s; {seconds * 1e6:.1f} µs a whole evaluation")


def seconds_of(benchmark: Benchmark) -> float:
    """Median seconds of this many evaluations."""
    draws = Draws(benchmark.problem.space, 0)
    configurations = [draws.next() for _ in range(EVALUATIONS)]
    return statistics.median(
        timed(lambda: [benchmark.evaluate(params, None, 0) for params in configurations]) for _ in range(ROUNDS)
    )


def timed(play: Callable[[], Any]) -> float:
    """Seconds of one call."""
    clock = time.perf_counter()
    play()
    return time.perf_counter() - clock


if __name__ == "__main__":
    main()
