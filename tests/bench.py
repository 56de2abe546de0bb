"""Cost of the harness itself: python -m tests.bench, or make bench. Ratios and medians of one run, no assertions."""

from __future__ import annotations

import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.hpobench.hpobench import HPOBench
from harness.budget import Budget
from harness.choices import builtin
from harness.folder import RunFolder
from harness.loop import run_loop
from harness.repair import NoRepair
from harness.validity import Checker
from optimizers.random_search import RandomSearch
from optimizers.shared.smac_facade import in_fixed_order, lean
from optimizers.smac import SMAC
from tests import bench_benchmarks

TRIALS = 5000
STARTS = 7
CACHED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Environment in which Python keeps compiled modules, as it does by default."""
SMAC_TRIALS = 100
SMAC_ROUNDS = 5


def main() -> None:
    """Measure and print."""
    benchmark = HPOBench(task="credit_g")
    bare = statistics.median(bare_seconds(benchmark) for _ in range(5))
    full = statistics.median(harness_seconds(benchmark) for _ in range(5))
    print(f"random search on a table, {TRIALS} trials, median of 5:")
    print(f"  draw and look up only       {bare / TRIALS * 1e3:.3f} ms a trial")
    print(f"  checked, logged and flushed {full / TRIALS * 1e3:.3f} ms a trial ({full / bare:.2f} times as much)")
    checker, params = Checker(benchmark.problem.space), benchmark.problem.default
    clock = time.perf_counter()
    for _ in range(TRIALS):
        checker.check(params)
    print(f"  of which the check          {(time.perf_counter() - clock) / TRIALS * 1e3:.3f} ms a trial")
    bench_benchmarks.main()
    compare_smac(benchmark)
    start_seconds()  # the first one compiles
    starts, imports = zip(*(start_seconds() for _ in range(STARTS)), strict=True)
    print(f"from the command to the first trial, median of {STARTS}: {statistics.median(starts):.2f} s")
    ratio = statistics.median(start / alone for start, alone in zip(starts, imports, strict=True))
    print(
        f"  import ConfigSpace and hydra alone: {statistics.median(imports):.2f} s (median of the ratios {ratio:.2f})"
    )


def bare_seconds(benchmark: HPOBench) -> float:
    """Seconds for the same draws and look-ups without the harness."""
    optimizer = RandomSearch(benchmark.problem, 0, Budget(proposals=TRIALS))
    clock = time.perf_counter()
    for _ in range(TRIALS):
        benchmark.evaluate(optimizer.ask().params or {}, None, 0)
    return time.perf_counter() - clock


def harness_seconds(benchmark: HPOBench) -> float:
    """Seconds for the loop with its log on disk."""
    with tempfile.TemporaryDirectory() as folder:
        budget = Budget(proposals=TRIALS)
        optimizer = RandomSearch(benchmark.problem, 0, budget)
        log = RunFolder(Path(folder)).appender()
        clock = time.perf_counter()
        run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, log.write)
        seconds = time.perf_counter() - clock
        log.close()
    return seconds


def compare_smac(benchmark: HPOBench) -> None:
    """Time SMAC inside the harness and in its own loop alternately, and print the times."""
    contenders = {
        "in the harness, checked, logged, flushed": lambda: smac_in_harness(benchmark),
        "its own optimize(), our lean forest": lambda: smac_alone(benchmark, lean),
        "its own optimize(), as it is": lambda: smac_alone(benchmark, lambda model: model),
    }
    smac_in_harness(benchmark)  # the first call imports modules
    rounds = [{name: play() for name, play in contenders.items()} for _ in range(SMAC_ROUNDS)]
    inside = None
    print(f"SMAC on a table, {SMAC_TRIALS} trials, median of {SMAC_ROUNDS}; the first over each:")
    for name in contenders:
        seconds = statistics.median(played[name][0] for played in rounds)
        inside = seconds if inside is None else inside
        print(f"  {name:41} {seconds:.2f} s ({inside / seconds:.3f})")
    proposals = {str(proposed) for played in rounds for _, proposed in played.values()}
    print(f"  the same {SMAC_TRIALS} proposals every time: {'yes' if len(proposals) == 1 else 'NO'}")


def smac_in_harness(benchmark: HPOBench) -> tuple[float, list[object]]:
    """Seconds for the loop with its log on disk, and the proposals."""
    proposed: list[object] = []
    with tempfile.TemporaryDirectory() as folder:
        budget = Budget(proposals=SMAC_TRIALS)
        optimizer = SMAC(benchmark.problem, 0, budget)
        log = RunFolder(Path(folder)).appender()

        def record(row: dict[str, object]) -> None:
            log.write(row)
            proposed.append(row["proposed"])

        clock = time.perf_counter()
        run_loop(benchmark, optimizer, NoRepair(benchmark.problem, 0), budget, 0, record)
        seconds = time.perf_counter() - clock
        log.close()
    return seconds, proposed


def smac_alone(benchmark: HPOBench, treated: Callable[[Any], Any]) -> tuple[float, list[object]]:
    """Seconds for the same facade in SMAC's own loop, which saves its history after each trial, and its proposals.

    Its local search gets the fixed order too, so that proposals are equal in all processes.

    Args:
        benchmark: Evaluates.
        treated: Changes its forest.
    """
    from smac import HyperparameterOptimizationFacade as HPOFacade
    from smac import Scenario

    proposed: list[object] = []
    objective = benchmark.problem.objectives[0].name

    def loss(config: Mapping[str, object], seed: int = 0) -> float:
        params = {name: builtin(value) for name, value in config.items()}
        proposed.append(params)
        return benchmark.evaluate(params, None, 0).losses[objective]

    with tempfile.TemporaryDirectory() as folder:
        space = copy.deepcopy(benchmark.problem.space)
        scenario = Scenario(space, deterministic=True, n_trials=SMAC_TRIALS, seed=0, output_directory=Path(folder))
        parts = {
            "model": treated(HPOFacade.get_model(scenario)),
            "acquisition_maximizer": in_fixed_order(HPOFacade.get_acquisition_maximizer(scenario)),
        }
        facade = HPOFacade(scenario, loss, overwrite=True, logging_level=False, **parts)
        clock = time.perf_counter()
        facade.optimize()
        return time.perf_counter() - clock, proposed


def start_seconds() -> tuple[float, float]:
    """Seconds from the command to the first line of the log, and the time of its two unavoidable imports."""
    with tempfile.TemporaryDirectory() as folder:
        clock = time.time()
        command = [sys.executable, "-m", "harness.run", "name=start", "budget.proposals=1"]
        process = subprocess.Popen(command, cwd=folder, env=CACHED, stdout=subprocess.DEVNULL)
        log = Path(folder) / "runs/start/hpobench.credit_g/random_search/0/trials.jsonl"
        while process.poll() is None and not (log.exists() and log.stat().st_size):
            time.sleep(0.001)
        seconds = log.stat().st_mtime - clock
        process.wait()
    clock = time.time()
    subprocess.run([sys.executable, "-c", "import ConfigSpace, hydra"], check=True, env=CACHED)
    return seconds, time.time() - clock


if __name__ == "__main__":
    main()
