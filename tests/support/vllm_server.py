"""A pytest plugin: the real vLLM with the default model, one server per session, started at its first use.

All workers of pytest-xdist share it: the port and the session's name are chosen before they start, and the server's
own lock makes the first worker that needs it start it. It ends with the session.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from llms.server.owners import SESSION
from llms.server.server import ensure_server
from llms.server.server_settings import SERVER_KEYS, ServerSettings, server_settings

PORT = "HYPERBOLE_TEST_PORT"
SMOLLM2 = Path(__file__).parents[2] / "conf" / "llm" / "smollm2_135m.yaml"


def pytest_configure(config: pytest.Config) -> None:
    """Before xdist starts its workers, which inherit the environment."""
    if not hasattr(config, "workerinput"):
        os.environ[SESSION] = f"{socket.gethostname()}:{os.getpid()}"
        os.environ[PORT] = str(_free_port())


@pytest.fixture(scope="session")
def vllm_server() -> ServerSettings:
    """The settings of a running server: the default model of conf/llm/smollm2_135m.yaml, on another port."""
    config = OmegaConf.load(SMOLLM2)
    given = {key: OmegaConf.to_container(config)[key] for key in SERVER_KEYS if key in config}
    settings = server_settings({**given, "port": int(os.environ[PORT])})
    ensure_server(settings)
    return settings


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
