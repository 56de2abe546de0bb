"""Shared by all tests: how they are spread over processes, and the real vLLM server, started once, at its first use."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Before any computation: there is one test process per core, and more threads would only wait for each other.
# The model server is not affected (llms.server.serving).
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("suite", deadline=None)  # a busy machine must not fail an example
settings.load_profile("suite")

pytest_plugins = ["tests.support.vllm_server", "tests.support.tiny_gguf", "tests.support.groups", "tests.support.slow"]


@pytest.fixture(autouse=True)
def _working_directory() -> Iterator[None]:
    """A test that leaves another working directory would fail tests after it."""
    before = os.getcwd()
    yield
    if (after := os.getcwd()) != before:
        os.chdir(before)
        pytest.fail(f"it left the working directory {after}")
