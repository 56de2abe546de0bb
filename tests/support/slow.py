"""A pytest plugin: the marker ``slow``, set by rule, and ``-m "not slow"`` (``make test-fast``).

Slow are the files directly in tests/, which cover everything at once; the contract of every plug-in (tests/contracts);
tests with the model server; and tests that use one of ``STARTERS`` in their own code, their parameters, their fixtures
or what they call in tests/. Where only the code under test starts a process, the test carries ``@pytest.mark.slow``:
without the mark, ``-m "not slow"`` fails it. Property tests try fewer examples there.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.vllm_server import vllm_server

FAST = "not slow"
TESTS = Path(__file__).parents[1]
WHOLE = (TESTS, TESTS / "contracts")
"""Folders whose own files are slow."""
FAMILIES = [path.parent.name for path in (TESTS.parent / "benchmarks").glob("*/*_trainer.py")]
STARTERS = frozenset(
    {
        *("subprocess", "multiprocessing", "concurrent.futures.process"),
        *("benchmarks.training.live", "benchmarks.training.training_process", "harness.checks.elsewhere"),
        *(f"benchmarks.{family}.{family}_trainer" for family in FAMILIES),
        *("harness.publish", "harness.wandb.wandb_tracker", "llms.server.server"),
        *("optimizers.smac", "optimizers.smac_blackbox", "optimizers.multifidelity.smac_multifidelity"),
    }
)
"""Modules that start processes (Python's own; W&B, the model server), that train, and that fit SMAC's models."""
EXAMPLES = 20
"""Of a property test, at most."""
OF_PROPERTY = "_hypothesis_internal_use_settings"  # where hypothesis keeps the settings of a test
EVENTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})
ALLOWED = ("git", "uname")
"""Commands of a few milliseconds: what run.json says of the commit and the processor."""
_running: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts a process, trains, or covers every plug-in; not in make test-fast")
    if config.option.markexpr == FAST:
        sys.addaudithook(_forbid)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before the expression of ``-m`` is applied."""
    for item in items:
        if isinstance(item, pytest.Function) and _is_slow(item):
            item.add_marker("slow")
        elif config.option.markexpr == FAST and (wished := getattr(item.obj, OF_PROPERTY, None)) is not None:
            fewer = settings(wished, max_examples=min(EXAMPLES, wished.max_examples))
            setattr(inspect.unwrap(item.obj, stop=lambda each: OF_PROPERTY in vars(each)), OF_PROPERTY, fewer)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Only tests are forbidden to start a process; pytest-xdist starts its workers."""
    _running.append(item.nodeid)
    try:
        return (yield)
    finally:
        _running.pop()


def _forbid(event: str, arguments: tuple[Any, ...]) -> None:
    if event in EVENTS and _running and Path(str(arguments[0] if arguments else "")).name not in ALLOWED:
        pytest.fail(f"{_running[-1]} starts a process ({event} {arguments[:2]}): mark it @pytest.mark.slow.")


def _is_slow(item: pytest.Function) -> bool:
    if item.path.parent in WHOLE or vllm_server.__name__ in item.fixturenames:
        return True
    fixtures = [each for name in item.fixturenames for each in item._fixtureinfo.name2fixturedefs.get(name, ())]
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    classes = [each for each in given if isinstance(each, type | types.FunctionType)]
    return any(map(starts_a_process, [item.function, *(each.func for each in fixtures), *classes]))


@functools.cache
def starts_a_process(function: Any) -> bool:
    """Whether a function of tests/ uses a module that starts processes, itself or through other code of tests/."""
    seen: set[int] = set()
    left = [function]
    ours = ("tests.", function.__module__)
    while left:
        each = inspect.unwrap(left.pop())
        owner = each.__name__ if isinstance(each, types.ModuleType) else str(getattr(each, "__module__", None))
        if owner in STARTERS:
            return True
        if id(each) not in seen and owner.startswith(ours):
            left += _used_by(each)
        seen.add(id(each))
    return False


def _used_by(given: Any) -> Iterator[Any]:
    """What the code of a function or the methods of a class name."""
    if isinstance(given, type):
        yield from (each for each in vars(given).values() if callable(each))
        yield from given.__bases__
    if not isinstance(given, types.FunctionType):
        return
    codes = [given.__code__]
    while codes:
        code = codes.pop()
        codes += [each for each in code.co_consts if isinstance(each, types.CodeType)]
        named = [given.__globals__[name] for name in code.co_names if name in given.__globals__]
        helpers = [each for each in named if isinstance(each, types.ModuleType) and each.__name__.startswith("tests.")]
        yield from named
        yield from (vars(each)[name] for each in helpers for name in code.co_names if name in vars(each))
        yield from (types.ModuleType(name) for name in code.co_names if name in STARTERS)  # imported where it is used
