"""One run, from its resolved configuration to a finished folder."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.branches import schema_leaves_out
from harness.budget import Budget
from harness.build import build_benchmark, build_budget, build_optimizer, build_repair, build_tracker
from harness.clock import now
from harness.console import say
from harness.contract import curve_of, no_exit
from harness.faults import catalogue, knew_grid
from harness.folder import RunFolder
from harness.fruitless import warn_of_short_budget
from harness.loop import run_loop
from harness.problem import Benchmark
from harness.provenance import git_state, versions
from harness.record import SCHEMA
from harness.repair import Repair
from harness.seeds import derived_seeds, recorded_seeds
from harness.sources import sources
from harness.tracker import Guarded, Tracker
from harness.trial import Optimizer
from harness.watch import Watch
from harness.whole import check_resumable

CURVE_WITHOUT_TRIAL_LIMIT = 100
QUANTILES = 201
"""One every half percent, both ends included."""


@dataclass(frozen=True)
class Parts:
    """What a run is made of."""

    seeds: Mapping[str, int]
    benchmark: Benchmark
    budget: Budget
    optimizer: Optimizer
    repair: Repair
    tracker: Tracker


def perform(config: Mapping[str, Any], folder: RunFolder, identity: Mapping[str, Any], live: bool) -> float | None:
    """Start or resume one run.

    Args:
        config: Resolved configuration, with paths into the folder.
        folder: Where it is recorded; rows already there are replayed through the optimizer.
        identity: The part of run.json that identifies the run, including ``config`` as recorded.
        live: Whether its progress line is redrawn after trials.

    Returns:
        The lowest loss of the first objective, or None if nothing valid was evaluated.

    Raises:
        FruitlessError: The run is complete, and every evaluation of it failed.
        HyperboleError: A wrong setting or a missing key: nothing is left of a new run. A log that does not fit, or no
            server: run.json has the error too.
    """
    logged, before = folder.rows(), folder.read()
    check_resumable(folder.path, logged)
    parts = _built(config, identity, before)
    run = _begun(parts, identity, before, config)
    folder.write(run)
    watch = Watch(parts.benchmark, parts.budget, parts.tracker, run, folder, live)
    _say_beforehand(watch.label, run, parts)
    watch.begin(logged)
    log = folder.appender()

    def record(row: dict[str, Any]) -> None:
        log.write(row)
        watch.note(row)

    try:
        with no_exit():
            if callable(prepare := getattr(parts.optimizer, "prepare", None)):
                prepare()
            run_loop(
                parts.benchmark,
                parts.optimizer,
                parts.repair,
                parts.budget,
                config["seed"],
                record,
                logged,
                knew_grid(before),
            )
        watch.refuse_breaches()
    except BaseException as error:
        log.close()
        watch.stopped(error, is_new=before is None)
        raise
    log.close()
    return watch.completed()


def _built(config: Mapping[str, Any], identity: Mapping[str, Any], before: Mapping[str, Any] | None) -> Parts:
    """The parts of a run; one that is resumed or repeated has its recorded seeds."""
    begun = before or (identity if "seeds" in identity else None)
    seeds = derived_seeds(config) if begun is None else recorded_seeds(begun)
    with no_exit():
        benchmark = build_benchmark(config, seeds)
        problem = benchmark.problem
        budget = build_budget(config)
        budget.check_ends(uses_model=identity["llm"] is not None)
        optimizer = build_optimizer(config, problem, budget, seeds)
        repair, tracker = build_repair(config, problem, seeds), Guarded(build_tracker(config))
    return Parts(seeds, benchmark, budget, optimizer, repair, tracker)


def _begun(
    parts: Parts, identity: Mapping[str, Any], before: Mapping[str, Any] | None, config: Mapping[str, Any]
) -> dict[str, Any]:
    """The run.json of a run that starts or is resumed."""
    benchmark, budget = parts.benchmark, parts.budget
    problem = benchmark.problem
    judged = {"faults": catalogue()} if knew_grid(before) else {}
    curve = curve_of(benchmark, "random_search_curve", budget.trials or CURVE_WITHOUT_TRIAL_LIMIT)
    return {
        "schema": SCHEMA,
        "status": "running",
        "error": None,
        "started_at": (before or {}).get("started_at") or now(),
        "finished_at": None,
        **identity,
        "objectives": [asdict(objective) for objective in problem.objectives],
        "fidelities": [asdict(fidelity) for fidelity in problem.fidelities],
        "random_search_curve": curve,
        "loss_quantiles": curve_of(benchmark, "loss_quantiles", QUANTILES),
        "schema_leaves_out": schema_leaves_out(problem.space, identity["config"].get("decoding")),
        "budget": asdict(budget),
        **judged,
        "host": socket.gethostname(),
        "git": git_state(),
        "versions": versions(),
        "seeds": parts.seeds,
        "sources": sources(config),
    }


def _say_beforehand(label: str, run: Mapping[str, Any], parts: Parts) -> None:
    """Say what this run cannot do."""
    warn_of_short_budget(label, parts.optimizer, parts.budget)
    if run["schema_leaves_out"]:
        say(f"{label}: the JSON schema leaves out: {'; '.join(run['schema_leaves_out'])}")
