"""A pytest plugin: which tests run in one process of pytest-xdist (``--dist loadgroup``).

Tests with the real vLLM server run one after the other: some compare its counters with their own requests. Tests
that share a fixture of their module run together (per parameter), so that each process need not make it anew.
All other tests go to any process.
"""

from __future__ import annotations

import pytest

from tests.support.vllm_server import vllm_server

SERVER = vllm_server.__name__


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before xdist reads the marks; without ``tryfirst`` its own hook would run first."""
    for item in items:
        if isinstance(item, pytest.Function) and (name := group(item)) is not None:
            item.add_marker(pytest.mark.xdist_group(name))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Under xdist, check that the groups arrived: incompatible versions ignore them silently."""
    if not session.config.getoption("loadgroup", False):
        return
    for item in session.items:
        if isinstance(item, pytest.Function) and (name := group(item)) is not None and not item.nodeid.endswith(name):
            raise pytest.UsageError(f"pytest-xdist does not group {item.nodeid}; install what constraints.txt says.")


def group(item: pytest.Function) -> str | None:
    """The name of the group, or None."""
    if SERVER in item.fixturenames:
        return SERVER
    shared = [name for name in item.fixturenames if _of_module(item, name)]
    if not shared:
        return None
    parameters = getattr(item, "callspec", None)
    chosen = [str(parameters.indices[name]) for name in shared if parameters and name in parameters.indices]
    return ".".join([item.module.__name__, *chosen])


def _of_module(item: pytest.Function, name: str) -> bool:
    definitions = item._fixtureinfo.name2fixturedefs.get(name, ())
    return bool(definitions) and definitions[-1].scope in ("module", "package")
