"""The loop: ask, check, (repair), evaluate, record, tell."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from harness.budget import Budget, Spent
from harness.clock import now
from harness.contract import check_proposal
from harness.duplicates import Seen
from harness.errors import DiskError, RunError
from harness.files import MACHINES, disk_error
from harness.jsonl import encode
from harness.outcome import cost, plain_outcome, reason, said
from harness.problem import Benchmark, Problem, below_highest
from harness.repair import Repair
from harness.repeats import Repeats
from harness.rows import difference, outcome_of, to_row
from harness.trial import Optimizer, Trial
from harness.validity import Checker, check_fidelity

Row = dict[str, Any]


def run_loop(
    benchmark: Benchmark,
    optimizer: Optimizer,
    repair: Repair,
    budget: Budget,
    seed: int,
    record: Callable[[Row], None],
    logged: Sequence[Row] = (),
    knew_grid: bool = True,
) -> None:
    """Run trials until the budget is spent.

    Args:
        benchmark: Evaluates; hidden from the optimizer.
        optimizer: Asked and told once per trial.
        repair: Repairs invalid proposals before they are executed.
        budget: Ends the run.
        seed: Seed of the benchmark's evaluations.
        record: Called with each new row, before the optimizer is told.
        logged: Rows of an interrupted run, replayed through the optimizer first: outcomes are taken from the log,
            and nothing is evaluated or recorded again.
        knew_grid: Whether these rows distinguish off-grid numbers (``harness.faults``).

    Raises:
        RunError: The replay differs from the log.
        ContractError: The optimizer returned something that is not a Proposal.
    """
    judge = Judge(benchmark.problem, repair)
    spent, repeats = Spent(), Repeats()
    while not spent.exhausts(budget):
        index = spent.proposals
        started_at = now()
        clock = time.perf_counter()
        returned = optimizer.ask()
        ask_seconds = time.perf_counter() - clock
        trial = judge(Trial(index, check_proposal(returned, optimizer), ask_seconds=ask_seconds))
        if index < len(logged):
            trial = _replayed(trial, logged[index], knew_grid)
        else:
            trial = evaluated(trial, benchmark, seed)
            record(to_row(trial, started_at))
        optimizer.tell(shown(repeats.trial(trial)))
        spent.add(trial)


class Judge:
    """Checks proposals, detects duplicates, and applies the repair.

    A level may be proposed by its short name; checks use the level, the row keeps what was proposed.
    Only configurations are repaired: a proposal with an invalid fidelity is never executed.
    """

    def __init__(self, problem: Problem, repair: Repair) -> None:
        self._problem = problem
        self._checker = Checker(problem.space)
        self._repair = repair
        self._seen = Seen(problem.space)

    def __call__(self, trial: Trial) -> Trial:
        """The trial with violations, duplicates, repair and executed params filled in."""
        level = below_highest(trial.proposal.fidelity, self._problem)
        proposal = dataclasses.replace(trial.proposal, fidelity=level)
        meant = self._checker.meant(proposal)
        params, violations = self._checker.proposal(proposal)
        invented = check_fidelity(level, self._problem)
        proposed = meant.params if params is None else params
        duplicate_of, near_duplicate_of = self._seen(proposed, proposal.fidelity, trial.index)
        repair = None
        if invented:
            params, violations = None, (*violations, *invented)
        elif violations:
            mended = self._repair(meant, violations)
            params = None if mended is None else self._checker.check(mended)[0]
            repair = None if params is None else self._repair.name
        return dataclasses.replace(
            trial,
            proposal=proposal,
            violations=violations,
            duplicate_of=duplicate_of,
            near_duplicate_of=near_duplicate_of,
            repair=repair,
            params=params,
        )


def evaluated(trial: Trial, benchmark: Benchmark, seed: int) -> Trial:
    """The trial with its outcome; an exception or a wrong return value of the benchmark is the trial's error.

    Raises:
        KeyboardInterrupt: Raised by the user.
        DiskError: The machine's disk is full, or no more files can be opened.
    """
    if trial.params is None:
        return trial
    fidelity = trial.proposal.fidelity
    try:
        returned = benchmark.evaluate(copy.deepcopy(trial.params), None if fidelity is None else dict(fidelity), seed)
        outcome = plain_outcome(returned, benchmark.problem.objectives, said(benchmark))
    except (KeyboardInterrupt, DiskError):
        raise
    except BaseException as error:  # SystemExit too: the exit of a training script must not end the run
        if isinstance(error, OSError) and error.errno in MACHINES:  # a full disk is not a property of a configuration
            raise disk_error(error) from error
        return dataclasses.replace(trial, error=reason(error), evaluation_seconds=cost(error))
    return dataclasses.replace(trial, outcome=outcome, evaluation_seconds=outcome.evaluation_seconds)


def shown(trial: Trial) -> Trial:
    """What an optimizer is told: without metrics (test scores) and without the configuration behind a probe (law 4)."""
    outcome = trial.outcome and dataclasses.replace(trial.outcome, metrics={}, evaluated=None)
    return dataclasses.replace(trial, outcome=outcome, repeats=trial.repeats and shown(trial.repeats))


def _replayed(trial: Trial, logged: Row, knew_grid: bool) -> Trial:
    """The trial with the logged outcome, after checking that the optimizer proposed the same."""
    row = json.loads(encode(to_row(trial, "")))
    if (what := difference(row, logged, knew_grid)) is not None:
        raise RunError(
            f"Trial {logged['index']} replays differently from its log: {what}; the code or a package has changed "
            "since; repeat the run under another name=."
        )
    return dataclasses.replace(
        trial,
        outcome=outcome_of(logged),
        error=logged["error"],
        ask_seconds=logged["ask_seconds"],
        evaluation_seconds=logged["evaluation_seconds"],
    )
