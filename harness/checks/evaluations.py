"""The bench on which a benchmark is checked: comparable evaluations and their errors."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checks.spoiled import valid_configurations
from harness.checks.state import differs, kept_process, process_state
from harness.contract import named, unwrapped
from harness.outcome import TIMED, plain_outcome, reason, said
from harness.problem import Benchmark, EvaluationError, Outcome, Params

CONFIGURATIONS, TRAININGS = 50, 3
"""Number of configurations besides the default: for fast benchmarks, and for live training."""
SLOW_SECONDS = 1.0
"""A longer evaluation counts as training."""
SEED = 3


def close(benchmark: Benchmark) -> None:
    """Close the benchmark if it has ``close`` (``BenchmarkOptions``)."""
    if callable(end := getattr(benchmark, "close", None)):
        end()


@dataclass(frozen=True)
class Answer:
    """The result of one evaluation.

    Attributes:
        outcome: The outcome, or None.
        failure: The evaluation's error message, or None.
        breach: A sentence on a broken rule, or None.
    """

    outcome: Outcome | None = None
    failure: str | None = None
    breach: str | None = None

    @property
    def measured(self) -> Any:
        """The part that must be reproducible."""
        if self.outcome is None:
            return self.failure or self.breach
        metrics = self.outcome.metrics.items()
        return self.outcome.losses, {name: repr(value) for name, value in metrics if not name.endswith(TIMED)}


@dataclass(frozen=True)
class Bench:
    """One benchmark under check.

    Attributes:
        build: Builds a new instance that shares no evaluations.
        benchmark: The instance under check.
        trainings: Number of configurations besides the default if evaluations train.
    """

    build: Callable[[], Benchmark]
    benchmark: Benchmark
    trainings: int = TRAININGS
    _kept: dict[int, Answer] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """Name of its class."""
        return named(self.benchmark)

    @functools.cached_property
    def trains(self) -> bool:
        """Whether it declares ``live`` or is so slow that only a few configurations are tried."""
        if getattr(unwrapped(self.benchmark), "live", False):
            return True
        clock = time.perf_counter()
        self.evaluate(self.benchmark.problem.default)
        return time.perf_counter() - clock > SLOW_SECONDS

    @functools.cached_property
    def configurations(self) -> list[Params]:
        """The default and fixed random configurations."""
        problem = self.benchmark.problem
        return [problem.default, *valid_configurations(problem, self.trainings if self.trains else CONFIGURATIONS)]

    def answer(self, place: int) -> Answer:
        """The first answer for one of the configurations."""
        if place not in self._kept:
            self._kept[place] = self.evaluate(self.configurations[place])
        return self._kept[place]

    def evaluate(
        self, params: Params, fidelity: Mapping[str, float] | None = None, benchmark: Benchmark | None = None
    ) -> Answer:
        """Evaluate as the loop does; any exception is a failure.

        Args:
            params: A valid configuration.
            fidelity: As in a proposal.
            benchmark: Another instance; None for the one under check.
        """
        judge = self.benchmark if benchmark is None else benchmark
        given = copy.deepcopy(params)
        level = None if fidelity is None else dict(fidelity)
        before = process_state()
        try:
            with kept_process():
                returned = judge.evaluate(given, level, SEED)
                after = process_state()
        except (Exception, SystemExit) as error:
            return Answer(failure=reason(error))
        if (left := differs(before, after)) is not None:
            return Answer(breach=f"{self.who}.evaluate changes {left}, which the whole process shares; restore it.")
        if given != params or level != fidelity:
            what = "params" if given != params else "fidelity"
            return Answer(breach=f"{self.who}.evaluate changes its argument {what}; change a copy.")
        try:
            outcome = plain_outcome(returned, judge.problem.objectives, said(judge))
        except EvaluationError as error:
            prefix = "" if str(error).startswith(self.who) else f"{self.who}.evaluate: "
            return Answer(breach=f"{prefix}{error}")
        return Answer(outcome)
