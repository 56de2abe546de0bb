"""One W&B run from ``init`` to ``finish``, in the calling thread (``wandb_tracker`` uses a thread of its own)."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.errors import HyperboleError
from harness.files import refuse_link
from harness.jsonl import encode, read_rows
from harness.label import label
from harness.masking import masked
from harness.trial_metrics import TrialMetrics
from harness.wandb.wandb_process import PROCESS

Mode = Literal["offline", "online"]
INVALID_COLUMNS = ["trial", "faults", "names", "values", "proposed", "reply"]
_REPLY_SEPARATOR = "\n\n--- next call ---\n\n"
_REACH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Destination:
    """Destination of W&B runs; attributes are settings of ``conf/tracker/wandb.yaml``."""

    project: str
    entity: str | None
    mode: Mode
    directory: Path | None
    init_timeout_seconds: float
    finish_timeout_seconds: float


class WandbSession:
    """An open W&B run, built by ``open_session``; every method may raise any exception of W&B."""

    def __init__(self, wandb_run: Any, folder: Path, run: Mapping[str, Any]) -> None:
        self._wandb_run = wandb_run
        self._folder = folder
        self._metrics = TrialMetrics(run)
        self._invalid: list[Mapping[str, Any]] = []

    def log(self, row: Mapping[str, Any]) -> None:
        """Log one row of ``trials.jsonl``; the step is the trial's index."""
        self._wandb_run.log(self._metrics.add(row), step=row["index"], commit=True)
        if row.get("violations"):
            self._invalid.append(row)

    def finish(self, run: Mapping[str, Any]) -> None:
        """Log the table of invalid proposals and the summary, and end the W&B run."""
        import wandb

        if self._invalid:
            table = wandb.Table(columns=INVALID_COLUMNS, data=self._invalid_rows(), allow_mixed_types=True)
            self._wandb_run.log({"invalid_proposals": table})
        self._wandb_run.summary.update(self._metrics.summary(run))
        self._wandb_run.finish(exit_code=0 if run.get("status") == "complete" else 1)

    def _invalid_rows(self) -> list[list[Any]]:
        wanted = {call for row in self._invalid for call in row.get("calls") or ()}
        calls = read_rows(self._folder / "calls.jsonl") if wanted else []
        wanted_calls = [call for call in calls if call.get("id") in wanted]
        replies = {call["id"]: str(call["reply"] or call.get("refusal") or "") for call in wanted_calls}
        return [_invalid_row(row, replies) for row in self._invalid]


def _invalid_row(row: Mapping[str, Any], replies: Mapping[int, str]) -> list[Any]:
    violations = row["violations"]
    found = [replies[call] for call in row.get("calls") or () if call in replies]
    return [
        row["index"],
        ", ".join(violation["fault"] for violation in violations),
        encode([violation.get("name") for violation in violations]),
        encode([violation.get("value") for violation in violations]),
        encode(row.get("proposed")),
        _REPLY_SEPARATOR.join(found) if found else None,
    ]


def run_id(run: Mapping[str, Any]) -> str:
    """The id of a run, a function of its path below runs/, so that publishing again replaces it."""
    return hashlib.sha256(f"{run['experiment']}/{run_name(run)}".encode()).hexdigest()[:16]


def run_name(run: Mapping[str, Any]) -> str:
    """``<benchmark>.<task>/<method>/<seed>``."""
    return f"{run['benchmark']}.{run['task']}/{run['method']}/{run['seed']}"


def run_config(run: Mapping[str, Any]) -> dict[str, Any]:
    """The run's configuration in W&B: flat fields for grouping, and the resolved configuration, masked."""
    flat = ("experiment", "benchmark", "task", "method", "optimizer", "llm", "seed")
    nested = ("config", "objectives", "budget", "git", "versions")
    words = (
        {"label": label(run)}
        | {key: run.get(key) for key in flat}
        | {key: masked(run[key]) for key in nested if run.get(key) is not None}
    )
    return {key: value for key, value in words.items() if value is not None}


@contextmanager
def open_session(to: Destination, folder: Path, run: Mapping[str, Any]) -> Iterator[WandbSession]:
    """A W&B run within the block; environment and hooks changed by W&B are restored afterwards.

    Raises:
        HyperboleError: Online, and W&B has no API key or cannot be reached.
        Exception: Any exception of W&B.
    """
    root = (to.directory or folder).resolve()
    refuse_link(root / "wandb")
    with PROCESS.visit(root / "wandb", to.mode):
        import wandb

        if to.mode == "online":
            _check_online(wandb.setup().settings)
        hooks = sys.exit, sys.excepthook
        try:
            wandb_run = wandb.init(
                project=to.project,
                entity=to.entity,
                group=run["experiment"],
                job_type=run["optimizer"],
                name=f"{run['benchmark']}.{run['task']}/{label(run)}/{run['seed']}",
                id=run_id(run),
                config=run_config(run),
                settings=_settings(to, root),
            )
        finally:
            sys.exit, sys.excepthook = hooks  # W&B's hooks would outlive the W&B run
        yield WandbSession(wandb_run, folder, run)


def _settings(to: Destination, root: Path) -> Any:
    import wandb

    return wandb.Settings(
        mode=to.mode,
        root_dir=str(root),
        use_dot_wandb=False,
        symlink=False,
        reinit="create_new",
        init_timeout=to.init_timeout_seconds,
        x_service_wait=to.init_timeout_seconds,
        finish_timeout=0.8 * to.finish_timeout_seconds,  # the rest is for reporting a time-out
        finish_timeout_raises=True,
        stop_fn=_ignore_stop,
        silent=True,
        console="off",
        label_disable=True,
        disable_git=True,
        disable_code=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_meta=True,  # it holds the command line, which may hold a key
        x_disable_machine_info=True,
        x_save_requirements=False,
        allow_offline_artifacts=False,  # the table's own file suffices, without a staging area for the sync
    )


def _ignore_stop() -> None:
    """Disable the stop button of the web page, which interrupts the main thread: only the budget ends a run."""


def _check_online(settings: Any) -> None:
    """Fail at once if W&B would ask for a login, or retry until its time-out."""
    from wandb.sdk.lib import wbauth

    local = Path(settings.settings_workspace)
    if "WANDB_BASE_URL" not in os.environ and local.is_file() and "base_url" in local.read_text(errors="replace"):
        raise HyperboleError(  # a folder from others may hold such a file, and the key would be sent there
            f"{local} sets the W&B server; if intended, set WANDB_BASE_URL to {settings.base_url}, else change folder"
        )
    if wbauth.authenticate_session(host=settings.base_url, source="hyperbole", prompt=False) is None:
        raise HyperboleError(f"no API key for {settings.base_url}: set WANDB_API_KEY or run `wandb login`")
    url = urlsplit(settings.base_url)
    if url.hostname is None or settings.http_proxy or settings.https_proxy or urllib.request.getproxies():
        return  # behind a proxy only W&B's own attempt shows it
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname, port), timeout=_REACH_SECONDS).close()
    except OSError as error:
        raise HyperboleError(f"{settings.base_url} cannot be reached: {error}") from None
