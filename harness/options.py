"""Check the optional attributes of a plug-in."""

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
    """Problems of a benchmark's ``BenchmarkOptions``, one sentence each."""
    return _misfits(benchmark, BenchmarkOptions)


def optimizer_options(optimizer: object) -> Iterator[str]:
    """Problems of an optimizer's ``OptimizerOptions``, one sentence each."""
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
