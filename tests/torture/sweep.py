"""The sweep that is tortured: its command, its processes, its model server."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.torture.model import NAME

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXPERIMENT = "torture"
LONGEST_SECONDS = 900.0
"""No command may take longer: it hangs then."""
POLL_SECONDS = 0.02


class Model:
    """The model server, in a process that can be killed.

    Args:
        folder: Where its ledger is.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.ledger = folder / "ledger"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [sys.executable, "-m", "tests.torture.model", str(self.port), str(self.ledger)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(POLL_SECONDS)
        raise TimeoutError("the model server does not start")

    def kill(self) -> None:
        """Kill it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def paid(self) -> list[str]:
        """The key of every request that was worked on, in order."""
        return self.ledger.read_text().split() if self.ledger.exists() else []


@dataclass(frozen=True)
class Sweep:
    """A sweep of a few runs.

    Attributes:
        folder: Working directory.
        port: The model server's.
        methods: Optimizers.
        proposals: Trials per run.
        seeds: Number of seeds.
    """

    folder: Path
    port: int
    methods: Sequence[str]
    proposals: int
    seeds: int = 2

    @property
    def experiment(self) -> Path:
        """The folder with the runs."""
        return self.folder / "runs" / EXPERIMENT

    @property
    def settings(self) -> list[str]:
        """Overrides of every command."""
        return [
            f"name={EXPERIMENT}",
            f"hydra.searchpath=[{HERE / 'conf'}]",
            "benchmark=slow",
            f"budget.proposals={self.proposals}",
            "llm=openai",
            f"llm.base_url=http://127.0.0.1:{self.port}/v1",
            f"llm.model={NAME}",
            "llm.api_key_env=null",
            "llm.backoff_seconds=0.05",
            f"llm.max_attempts={ATTEMPTS}",
            "llm.timeout_seconds=10",
        ]

    def start(self, *more: str, output: str = "output", **environment: str) -> Running:
        """Start the command of the whole sweep; ``more`` are added to its overrides."""
        swept = [f"optimizer={','.join(self.methods)}", f"seed={','.join(map(str, range(self.seeds)))}"]
        tracker = [] if any(text.startswith("tracker") for text in more) else ["tracker=none"]
        processes = [] if any("launcher" in text for text in more) else ["hydra.launcher.processes=1"]
        arguments = ["-m", *self.settings, *swept, *tracker, *processes, *more]
        return Running(self.folder, arguments, environment, output)

    def start_one(self, method: str, seed: int) -> Running:
        """Start the command of one of its runs."""
        return Running(self.folder, [*self.settings, f"optimizer={method}", f"seed={seed}", "tracker=none"], {})

    def lines(self) -> int:
        """Number of lines that its runs have logged so far."""
        return sum(path.read_bytes().count(b"\n") for path in self.experiment.glob("*/*/[0-9]*/*.jsonl"))


ATTEMPTS = 3


class Running:
    """A command while it runs.

    Args:
        folder: Its working directory.
        arguments: Of ``harness.run``.
        environment: Variables added to its environment.
        output: Suffix of the file that gets its output.
    """

    def __init__(
        self, folder: Path, arguments: Sequence[str], environment: dict[str, str], output: str = "output"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = os.pathsep.join(filter(None, [environment.pop("PYTHONPATH", ""), str(ROOT)]))
        self._output = folder.parent / f"{folder.name}.{output}"
        with self._output.open("wb") as file:
            self.process = psutil.Popen(
                [sys.executable, "-m", "harness.run", *arguments],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": path} | environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.children: dict[int, psutil.Process] = {}

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return bool(self.process.poll() is None)

    def look(self) -> list[psutil.Process]:
        """Its descendants now; those seen at any time are in ``children``."""
        try:
            found = self.process.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self.children |= {each.pid: each for each in found}
        return list(found)

    def kill(self) -> None:
        """Kill the command."""
        self.look()
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            self.process.kill()

    def workers(self) -> list[psutil.Process]:
        """Its workers: the processes that the fork server made."""
        found = self.look()
        parents = {each.pid for each in found}
        return [each for each in found if _parent(each) in parents]

    def end(self) -> tuple[int, str]:
        """Wait for its end; the exit code and the output.

        Raises:
            AssertionError: It hangs, or its processes outlive it.
        """
        end = time.monotonic() + LONGEST_SECONDS
        while self.is_running:
            self.look()
            if time.monotonic() > end:
                self.kill()
                raise AssertionError("the command hangs")
            time.sleep(POLL_SECONDS)
        code = self.process.wait()
        _, alive = psutil.wait_procs(self.children.values(), timeout=60)
        left = [each for each in alive if _is_alive(each)]
        if left:
            names = ", ".join(f"{each.pid} {' '.join(_words(each))[:100]}" for each in left)
            for each in left:
                each.kill()
            raise AssertionError(f"processes outlive their command: {names}")
        return code, self._output.read_text(errors="replace")


def _parent(process: psutil.Process) -> int | None:
    try:
        return int(process.ppid())
    except psutil.NoSuchProcess:
        return None


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
