"""Shared by all tests: how they are spread over processes, and the real vLLM server, started once, at its first use."""

import os

from hypothesis import settings

# Before anything computes: there is one process of tests per core, and further threads would only wait for one another.
# The model server takes no notice of it (llms.server.serving).
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("suite", deadline=None)  # a busy machine is no fault of an example
settings.load_profile("suite")

pytest_plugins = ["tests.support.vllm_server", "tests.support.tiny_gguf", "tests.support.groups", "tests.support.slow"]
