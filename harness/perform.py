"""One run, from its resolved configuration to a finished folder."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.branches import schema_leaves_out
from harness.budget import Budget
from harness.build import build_benchmark, build_budget, build_optimizer, build_repair, build_tracker
from harness.clock import now
from harness.contract import curve_of, no_exit
from harness.errors import DiskError, HyperboleError, ServerError
from harness.faults import catalogue, knew_grid
from harness.folder import RunFolder
from harness.fruitless import Failures, warn_of_short_budget
from harness.jsonl import encode, plain
from harness.loop import run_loop
from harness.masking import without_secrets
from harness.outcome import Breaches
from harness.problem import Benchmark
from harness.progress import RunLine, say
from harness.provenance import git_state, versions
from harness.record import SCHEMA
from harness.seeds import derived_seeds, recorded_seeds
from harness.sources import sources
from harness.tally import Tally
from harness.tracker import Late, Tracker
from harness.trial import Optimizer
from harness.whole import files_of

CURVE_WITHOUT_TRIAL_LIMIT = 100
QUANTILES = 201
"""One every half percent, both ends included."""


def perform(config: Mapping[str, Any], folder: RunFolder, identity: Mapping[str, Any], live: bool) -> float | None:
    """Run, or go on with, one run.

    Args:
        config: Resolved configuration, with paths into the folder.
        folder: Where it is recorded; rows already there are replayed through the optimizer.
        identity: The part of run.json that says which run this is, ``config`` as recorded included.
        live: Whether its progress line is redrawn after trials.

    Returns:
        The lowest loss of the first objective, or None if nothing valid was evaluated.

    Raises:
        FruitlessError: The run is complete, and every evaluation of it failed.
        HyperboleError: A wrong setting, a missing key: nothing is left of a new run. A log that does not fit, no
            server: run.json says so too.
    """
    logged, before = folder.rows(), folder.read()
    begun = before or (identity if "seeds" in identity else None)
    seeds = derived_seeds(config) if begun is None else recorded_seeds(begun)
    with no_exit():
        benchmark = build_benchmark(config, seeds)
        problem = benchmark.problem
        budget = build_budget(config)
        budget.check_ends(uses_model=identity["llm"] is not None)
        optimizer = build_optimizer(config, problem, budget, seeds)
        repair, tracker = build_repair(config, problem, seeds), Late(build_tracker(config))
    run = _begun(benchmark, budget, identity, before) | {"seeds": seeds, "sources": sources(config)}
    folder.write(run)
    tracker.start(folder.path, run)
    # As the folder says it: a probe may have taken the problem's name away.
    label = f"{run['benchmark']}.{run['task']} {run['method']} seed {run['seed']}"
    line = RunLine(label, problem.objectives[0], live, budget, Tally.found() if live else None)
    _say_beforehand(label, run, optimizer, budget)
    breaches, failures = Breaches(benchmark), Failures()

    def note(row: dict[str, Any]) -> None:
        for told in (tracker.log, line.add, breaches.add, failures.add):
            told(row)

    for row in logged:
        note(row)
    line.begin()
    log = folder.appender()

    def record(row: dict[str, Any]) -> None:
        log.write(row)
        note(row)

    try:
        with no_exit():
            if callable(prepare := getattr(optimizer, "prepare", None)):
                prepare()
            run_loop(benchmark, optimizer, repair, budget, config["seed"], record, logged, knew_grid(before))
        breaches.refuse(folder.path)
    except BaseException as error:
        log.close()
        if before is None and _refused(error) and folder.forget():
            line.clear()
            raise
        interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
        said = without_secrets(str(error))
        if not interrupted:
            run |= {"status": "failed", "error": f"{type(error).__name__}: {said}"}
        line.close(" - interrupted; the same command goes on" if interrupted else f" - failed: {said}")
        with contextlib.suppress(DiskError):  # what went wrong first is what is to be said
            _finish(run, folder, tracker)
        raise
    log.close()
    run |= {"status": "complete", "files": files_of(folder.path)}
    line.close()
    _finish(run, folder, tracker)
    failures.refuse_all(label)
    return line.best


def _begun(
    benchmark: Benchmark, budget: Budget, identity: Mapping[str, Any], before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What run.json says of a run that begins, or goes on."""
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
    }


def _say_beforehand(label: str, run: Mapping[str, Any], optimizer: Optimizer, budget: Budget) -> None:
    """What this run cannot do."""
    warn_of_short_budget(label, optimizer, budget)
    if run["schema_leaves_out"]:
        say(f"{label}: the JSON schema does not say: {'; '.join(run['schema_leaves_out'])}")


def _refused(error: BaseException) -> bool:
    """Whether it is the user's mistake, so that there was no run. That no server answers is a run's failure."""
    return isinstance(error, HyperboleError) and not isinstance(error, ServerError)


def _finish(run: dict[str, Any], folder: RunFolder, tracker: Tracker) -> None:
    run |= {"finished_at": now()}
    try:
        folder.write(run)
    finally:
        tracker.finish(json.loads(encode(plain(run))))
