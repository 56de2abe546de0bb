"""Benchmarks under which an optimizer is tried: evaluations that fail, other losses, no fidelity."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.problem import Benchmark, EvaluationError, Outcome, Params, Problem


class Changed:
    """The benchmark, with something of it changed. What is not changed is passed on."""

    def __init__(self, benchmark: Benchmark) -> None:
        self._benchmark = self.wrapped = benchmark
        self.problem: Problem = benchmark.problem

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """As the benchmark does."""
        return self._benchmark.evaluate(params, fidelity, seed)

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        """None: it is not asked for here."""
        return None


class Hopeless(Changed):
    """Every evaluation fails, each in another way."""

    def __init__(self, benchmark: Benchmark) -> None:
        super().__init__(benchmark)
        name = self.problem.objectives[0].name
        ways: tuple[Any, ...] = (EvaluationError(""), None, 0.5, {name: None}, {}, SystemExit(1), {name: math.nan})
        self._ways = itertools.cycle(ways)

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """It raises, or returns what is no outcome.

        Raises:
            EvaluationError: In one of the ways.
        """
        way: Any = next(self._ways)
        if isinstance(way, BaseException):
            raise way
        return Outcome(way) if isinstance(way, dict) else way


def failing_at(params: Params) -> Callable[[Benchmark], Benchmark]:
    """The benchmark, where one configuration fails."""

    class Failing(Changed):
        def evaluate(self, given: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
            if given == params:
                raise EvaluationError("This configuration fails.")
            return super().evaluate(given, fidelity, seed)

    return Failing


class OtherObjectives(Changed):
    """Every objective but the first is turned around."""

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """The benchmark's losses, those of the further objectives negated."""
        outcome = super().evaluate(params, fidelity, seed)
        first = self.problem.objectives[0].name
        return replace(
            outcome, losses={name: loss if name == first else -loss for name, loss in outcome.losses.items()}
        )


class OneFidelity(Changed):
    """An evaluation has one price only."""

    def __init__(self, benchmark: Benchmark) -> None:
        super().__init__(benchmark)
        self.problem = replace(self.problem, fidelities=())
