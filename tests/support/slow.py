"""A pytest plugin: the marker ``slow``, set by rule, and what ``-m "not slow"`` (``make test-fast``) forbids.

Slow are the files directly in tests/ and the contract of every plug-in (tests/contracts), which cover the whole suite;
tests with the model server; and tests whose own code, fixtures or helpers in tests/ use a module that starts processes.
A test that starts one only through the code under test carries ``@pytest.mark.slow``; else ``-m "not slow"`` fails it.
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

from tests.support.vllm_server import vllm_server

TESTS = Path(__file__).parents[1]
WHOLE = (TESTS, TESTS / "contracts")
"""Folders whose own files are slow."""
STARTERS = frozenset({"subprocess", "multiprocessing", "concurrent.futures.process"})
EVENTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})
ALLOWED = ("git", "uname")
"""Commands of a few milliseconds: what run.json says of the commit and the processor."""
_running: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts a process, trains, or covers every plug-in; not in make test-fast")
    if config.option.markexpr == "not slow":
        sys.addaudithook(_forbid)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before the expression of ``-m`` is applied."""
    for item in items:
        if isinstance(item, pytest.Function) and _is_slow(item):
            item.add_marker("slow")


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
    return any(map(starts_a_process, [item.function, *(each.func for each in fixtures)]))


@functools.cache
def starts_a_process(function: Any) -> bool:
    """Whether a function of tests/ uses a module that starts processes, itself or through other code of tests/."""
    seen: set[int] = set()
    left = [function]
    while left:
        each = inspect.unwrap(left.pop())
        if isinstance(each, types.ModuleType) or getattr(each, "__module__", None) in STARTERS:
            if getattr(each, "__module__", each.__name__) in STARTERS:
                return True
        elif id(each) not in seen and str(getattr(each, "__module__", "")).startswith("tests."):
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
        for name in code.co_names:
            if name in given.__globals__:
                yield given.__globals__[name]
            elif name in STARTERS:  # imported where it is used
                yield sys.modules[name]
