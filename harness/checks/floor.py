"""Detect access of an optimizer to the benchmark during its own calls."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.contract import unwrapped
from harness.locate import ROOT
from harness.problem import Benchmark, Outcome, Params, Problem


class Floor:
    """The part whose code is running.

    Attributes:
        reached: Sentences on accesses to the benchmark during the optimizer's calls.
    """

    def __init__(self) -> None:
        self._holder: str | None = None
        self.reached: dict[str, None] = {}

    @contextlib.contextmanager
    def given_to(self, who: str) -> Iterator[None]:
        """Mark that a method of the optimizer runs."""
        before, self._holder = self._holder, who
        try:
            yield
        finally:
            self._holder = before

    def note(self, what: str) -> None:
        """Record an access to the benchmark if a method of the optimizer runs."""
        if self._holder is not None:
            self.reached[
                f"{self._holder} {what}; an optimizer sees its problem and the trials passed to tell, never "
                "the benchmark (law 4)."
            ] = None


class Guarded:
    """The benchmark of the loop, which records accesses."""

    def __init__(self, benchmark: Benchmark, floor: Floor) -> None:
        self._benchmark = self.wrapped = benchmark
        self._floor = floor

    @property
    def problem(self) -> Problem:
        """The benchmark's problem."""
        self._floor.note("accesses the benchmark")
        return self._benchmark.problem

    def evaluate(self, params: Params, fidelity: Mapping[str, float] | None, seed: int) -> Outcome:
        """As the benchmark does."""
        self._floor.note("evaluates the benchmark itself")
        return self._benchmark.evaluate(params, fidelity, seed)

    def random_search_curve(self, evaluations: int) -> Sequence[float] | None:
        """As the benchmark does."""
        self._floor.note("reads the benchmark's random-search curve")
        return self._benchmark.random_search_curve(evaluations)


@contextlib.contextmanager
def heard(benchmark: Benchmark, floor: Floor) -> Iterator[None]:
    """Record the evaluations of all instances of the benchmark's class, since an optimizer may build its own."""
    kind = type(unwrapped(benchmark))
    original = inspect.getattr_static(kind, "evaluate", None)
    if not inspect.isfunction(original):
        yield
        return
    own = "evaluate" in vars(kind)

    def evaluate(self: Any, *given: Any, **named: Any) -> Any:
        floor.note("evaluates the benchmark itself")
        return original(self, *given, **named)

    kind.evaluate = evaluate
    try:
        yield
    finally:
        if own:
            kind.evaluate = original
        else:
            del kind.evaluate


def imports_of_benchmarks(kind: type) -> Iterator[str]:
    """Imports of benchmarks in the modules of an optimizer's class and its base classes."""
    library = Path(sysconfig.get_paths()["purelib"])
    for module in dict.fromkeys(inspect.getmodule(base) for base in kind.__mro__):
        file = Path(getattr(module, "__file__", None) or "")
        if file.suffix != ".py" or file.is_relative_to(library):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                if name.partition(".")[0] == "benchmarks":
                    shown = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file.name
                    yield (
                        f"{shown}, line {getattr(node, 'lineno', 0)}, imports {name}; an optimizer never sees a "
                        "benchmark (law 4); use its problem instead."
                    )
