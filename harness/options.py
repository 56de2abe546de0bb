"""What a plug-in may have beside what it must, found by name: is it what the harness would take it for?"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

from harness.contract import check_method, named
from harness.errors import ContractError
from harness.kinds import kind_of, said
from harness.problem import BenchmarkOptions
from harness.trial import OptimizerOptions


def benchmark_options(benchmark: object) -> Iterator[str]:
    """What is wrong with what a benchmark has of ``BenchmarkOptions``, one sentence each."""
    return _misfits(benchmark, BenchmarkOptions)


def optimizer_options(optimizer: object) -> Iterator[str]:
    """What is wrong with what an optimizer has of ``OptimizerOptions``, one sentence each."""
    return _misfits(optimizer, OptimizerOptions)


def _misfits(plug_in: Any, options: type) -> Iterator[str]:
    for name, hint in typing.get_type_hints(options).items():
        kind = kind_of(hint)
        if hasattr(plug_in, name) and kind is not None and not kind.accepts(value := getattr(plug_in, name)):
            yield f"{named(plug_in)}.{name} is {said(value)} ({type(value).__name__}); give {kind.words}."
    for name, method in vars(options).items():
        if inspect.isfunction(method) and not name.startswith("_") and getattr(plug_in, name, None) is not None:
            try:
                check_method(plug_in, name, list(inspect.signature(method).parameters)[1:])
            except ContractError as error:
                yield str(error)
