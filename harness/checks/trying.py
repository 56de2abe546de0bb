"""Variants of a benchmark for checks: failing evaluations, other losses, no fidelity."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.problem import Benchmark, EvaluationError, Outcome, Params, Problem


class Changed:
    """A benchmark with one change; everything else is passed on."""

    def __init__(self, benchmark: Benchmark) -> None:
        self._benchmark = self.wrapped = benchmark
        self.problem: Problem = benchmark.problem

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """As the benchmark does."""
        return self._benchmark.evaluate(params, fidelity, seed)

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        """None: not needed here."""
        return None


class Hopeless(Changed):
    """Every evaluation fails, in alternating ways."""

    def __init__(self, benchmark: Benchmark) -> None:
        super().__init__(benchmark)
        name = self.problem.objectives[0].name
        ways: tuple[Any, ...] = (EvaluationError(""), None, 0.5, {name: None}, {}, SystemExit(1), {name: math.nan})
        self._ways = itertools.cycle(ways)

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """Raise, or return an invalid outcome.

        Raises:
            EvaluationError: In one of these ways.
        """
        way: Any = next(self._ways)
        if isinstance(way, BaseException):
            raise way
        return Outcome(way) if isinstance(way, dict) else way


def failing_at(params: Params) -> Callable[[Benchmark], Benchmark]:
    """The benchmark with one failing configuration."""

    class Failing(Changed):
        def evaluate(self, given: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
            if given == params:
                raise EvaluationError("This configuration fails.")
            return super().evaluate(given, fidelity, seed)

    return Failing


class OtherObjectives(Changed):
    """All objectives except the first are negated."""

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """The benchmark's losses, negated except the first."""
        outcome = super().evaluate(params, fidelity, seed)
        first = self.problem.objectives[0].name
        return replace(
            outcome, losses={name: loss if name == first else -loss for name, loss in outcome.losses.items()}
        )


class OneFidelity(Changed):
    """The benchmark without fidelities."""

    def __init__(self, benchmark: Benchmark) -> None:
        super().__init__(benchmark)
        self.problem = replace(self.problem, fidelities=())
