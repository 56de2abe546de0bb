"""One vLLM server per port of this machine, shared by all processes: found, or started under a lock."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from harness.errors import ServerError
from harness.files import usable
from llms.folders import locked
from llms.local.weights import find_weights
from llms.server.owners import (
    add_owner,
    disowned,
    joined,
    owner_pids,
    remove_owner,
    session_pid,
    supervisor_pid,
    told_session,
)
from llms.server.running import UNSEEN, differences, other_settings, read_record, write_record
from llms.server.server_settings import HOST, ServerSettings
from llms.server.serving import Serving, resolve
from llms.waiting import waiting
from llms.wire.health import look_up_models, served_models
from llms.wire.refusals import unknown_model

POLL_SECONDS = 0.25
END_SECONDS = 15.0  # longest wait for an earlier server to end
LOG_LINES = 15


def ensure_server(settings: ServerSettings) -> str:
    """Return the base URL of a healthy server with the wanted model; start the server if none runs.

    A started server runs until the last process that uses it has ended (``HYPERBOLE_SESSION``, else the calling
    process). A server that Hyperbole did not start is used and never stopped. Parallel jobs share one start.

    Raises:
        ServerError: The port is used by another program or by a server with other settings, or the server cannot be
            started; the message holds the last lines of its log.
        ModelError: The server has another model, or the model cannot be found.
    """
    serving = resolve(settings)
    if _joined(serving):
        return settings.url
    with locked(settings.log.with_suffix(".lock")):
        if not _joined(serving):
            _start(serving)
    return settings.url


def stop_server(settings: ServerSettings) -> None:
    """Release the server for this session. If no other session needs it, it has ended when this returns."""
    remove_owner(settings.owners, session_pid())
    if not owner_pids(settings.owners):
        _wait_for_its_end(settings)


def _joined(serving: Serving) -> bool:
    """Whether the wanted server answers. If Hyperbole started it, this session becomes an owner.

    A server with other settings that Hyperbole started and that has no owners is about to end; it counts as gone.
    """
    settings = serving.settings
    models = look_up_models(settings.url)
    if models is None:
        return False
    record = read_record(settings)
    served = next((model for model in models if model.name == settings.name), None)
    different = [] if served is None else differences(serving, record, served)
    if served is None or different:
        if supervisor_pid(settings.owners) is not None and disowned(settings.owners):
            return False
        if served is None:
            raise unknown_model(settings.url, settings.name, [model.name for model in models])
        raise other_settings(serving, different)
    if record is None and told_session(settings.log.with_suffix(".told")):
        _say(
            f"The server at {settings.url} was not started by Hyperbole: its {UNSEEN} are unknown; it is used as it "
            "is, and calls are recorded without them."
        )
    return joined(settings.owners, session_pid())


def _start(serving: Serving) -> None:
    settings = serving.settings
    if find_spec("vllm") is None:
        raise ServerError(
            "vLLM is not installed here, so no server can be started; install it with `make run`, or use a "
            "server on another machine with llm=openai."
        )
    command = replace(settings, dtype=serving.dtype).command(find_weights(settings.model, settings.environment))
    _wait_for_its_end(settings)
    _check_port(settings.port)
    _say(f"Starting vLLM with {serving.sentence()}; its log is {settings.log}.")
    with waiting(f"Starting vLLM with {settings.name}"):
        with usable(settings.log):
            _launch(serving, command)
        try:
            _wait_until_healthy(settings)
        except BaseException:  # Ctrl-C too: the session may go on, and it cannot use a half-started server
            _end(settings)
            raise


def _launch(serving: Serving, command: list[str]) -> None:
    """Start the supervisor, which detaches itself and starts the server."""
    settings = serving.settings
    shutil.rmtree(settings.owners, ignore_errors=True)
    settings.owners.mkdir(parents=True)
    write_record(serving)
    add_owner(settings.owners, session_pid())
    supervise = [sys.executable, "-m", "llms.server.supervise", "--owners", str(settings.owners), "--", *command]
    with settings.log.open("wb") as log:
        log.write(f"{serving.sentence()}\n".encode())
        log.flush()
        subprocess.run(
            supervise,
            cwd=Path(__file__).parents[2],
            env=serving.whole_environment(os.environ),
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


def _wait_for_its_end(settings: ServerSettings) -> None:
    """Wait until an earlier server of Hyperbole on this port has ended."""
    deadline = time.monotonic() + END_SECONDS
    while supervisor_pid(settings.owners) is not None and time.monotonic() < deadline:
        time.sleep(0.1)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            told = f"Port {port} cannot be used ({error.strerror}); set another port, e.g. llm.port={port + 1}."
            raise ServerError(told) from None


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _told(what: str, settings: ServerSettings) -> str:
    lines = settings.log.read_text(errors="replace").splitlines() if settings.log.exists() else []
    tail = "\n".join(line[:300] for line in lines[-LOG_LINES:])
    return f"{what}; the whole log is {settings.log}, and its last lines are:\n{tail}"
