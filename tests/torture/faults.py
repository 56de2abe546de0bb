"""The faults: those that strike while a sweep runs, and those that strike its files at rest."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.torture.ordeal import Ordeal
from tests.torture.sweep import HERE, Running

Live = Callable[[Ordeal], bool]
"""Strikes during one command; whether it struck before the command had ended."""
NOWHERE = "http://127.0.0.1:9"
"""An address at which nothing answers."""


def kill_run(ordeal: Ordeal) -> bool:
    """The process of a single run."""
    running = ordeal.sweep.start_one(ordeal.draw.choice(list(ordeal.sweep.methods)), 0)
    return _killed(ordeal, running)


def kill_sweep(ordeal: Ordeal) -> bool:
    """The command of the sweep; its workers must end too."""
    return _killed(ordeal, ordeal.sweep.start())


def kill_worker(ordeal: Ordeal) -> bool:
    """One worker of the sweep."""
    running = ordeal.sweep.start()
    struck = ordeal.moment(running) and _kill_one(ordeal.draw, running.workers())
    ordeal.ended(running)
    return struck


def kill_fork_server(ordeal: Ordeal) -> bool:
    """The process that makes the workers."""
    running = ordeal.sweep.start()
    workers = {each.pid for each in running.workers()} if ordeal.moment(running) else set()
    struck = _kill_one(ordeal.draw, [each for each in running.look() if each.pid not in workers])
    ordeal.ended(running)
    return struck


def kill_server(ordeal: Ordeal) -> bool:
    """The model server, which is started again after a while: calls are repeated, or given up."""
    running = ordeal.sweep.start()
    struck = ordeal.moment(running)
    ordeal.model.kill()
    time.sleep(ordeal.draw.choice([0.0, 0.1, 1.0]))
    ordeal.model.start()
    ordeal.ended(running)
    return struck


def interrupt_sweep(ordeal: Ordeal) -> bool:
    """Ctrl-C."""
    running = ordeal.sweep.start()
    if struck := ordeal.moment(running, least=1):  # while Python still imports, it answers with a traceback
        with contextlib.suppress(psutil.NoSuchProcess):
            running.process.send_signal(signal.SIGINT)
    code, text = running.end()
    assert code in (0, 2, 130, -signal.SIGINT), f"exit code {code}: {text}"  # the last while Python itself ends
    assert "Traceback" not in text, text
    return struck


def two_sweeps(ordeal: Ordeal) -> bool:
    """The same command twice at a time, one of which is killed."""
    running = ordeal.sweep.start()
    other = ordeal.sweep.start(output="other")
    struck = ordeal.moment(running)
    if ordeal.draw.random() < 0.5:
        running.kill()
        running.end()
        ordeal.ended(other)
    else:
        ordeal.ended(running)
        ordeal.ended(other)
    return struck


def disk_full(ordeal: Ordeal) -> bool:
    """No space is left on the disk of the runs, but for a few pages."""
    running = ordeal.sweep.start()
    struck = ordeal.moment(running)
    ballast = ordeal.sweep.folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - 4096 * ordeal.draw.randint(0, 6)))
    try:
        ordeal.ended(running)
    finally:
        ballast.unlink()
    return struck


def file_too_large(ordeal: Ordeal) -> bool:
    """No file may grow beyond a size: what ``ulimit -f`` and some quotas do."""
    running = ordeal.sweep.start()
    if struck := ordeal.moment(running):
        largest = max(path.stat().st_size for path in ordeal.sweep.experiment.rglob("*.json*"))
        limit = largest + ordeal.draw.randint(0, 2000)
        for each in [running.process, *running.look()]:
            try:
                resource.prlimit(each.pid, resource.RLIMIT_FSIZE, (limit, limit))
            except ProcessLookupError:
                continue
    ordeal.ended(running)
    return struck


def clock_back(ordeal: Ordeal) -> bool:
    """The clock is a day slow for one command, so that earlier files are of the future."""
    running = ordeal.sweep.start(PYTHONPATH=str(HERE / "clock"))
    struck = ordeal.moment(running)
    if ordeal.draw.random() < 0.5 and struck:
        running.kill()
        running.end()
    else:
        ordeal.ended(running)
    return struck


def wandb_unreachable(ordeal: Ordeal) -> bool:
    """Live tracking, and the server of W&B does not answer."""
    running = ordeal.sweep.start(
        "tracker=wandb", "tracker.mode=online", WANDB_BASE_URL=NOWHERE, WANDB_API_KEY="0" * 40, WANDB_SILENT="true"
    )
    struck = ordeal.moment(running)
    ordeal.ended(running)
    return struck


def kill_ray_head(ordeal: Ordeal) -> bool:
    """The head of the Ray cluster that the command has started (``--ray``)."""
    running = ordeal.sweep.start("hydra/launcher=ray")
    heads = []
    if ordeal.moment(running):
        heads = [each for each in running.look() if "gcs_server" in each.name()]
    struck = _kill_one(ordeal.draw, heads)
    ordeal.ended(running)
    return struck


def _killed(ordeal: Ordeal, running: Running) -> bool:
    struck = ordeal.moment(running)
    running.kill()
    running.end()
    return struck


def _kill_one(draw: random.Random, processes: list[psutil.Process]) -> bool:
    if not processes:
        return False
    try:
        draw.choice(processes).kill()
    except psutil.NoSuchProcess:
        return False
    return True


LIVE: dict[str, Live] = {
    "kill -9 of a run": kill_run,
    "kill -9 of a worker": kill_worker,
    "kill -9 of the workers' fork server": kill_fork_server,
    "kill -9 of the sweep": kill_sweep,
    "kill -9 of the model server": kill_server,
    "Ctrl-C": interrupt_sweep,
    "two sweeps on one folder": two_sweeps,
    "disk full": disk_full,
    "file size limit": file_too_large,
    "clock set back": clock_back,
    "W&B unreachable": wandb_unreachable,
}

OF_RAY: dict[str, Live] = {"kill -9 of Ray's head": kill_ray_head}
"""Only where they are asked for: a cluster takes many seconds to start."""

Change = Callable[[bytes, random.Random], bytes]


def torn(content: bytes, draw: random.Random) -> bytes:
    """Its end is missing."""
    return content[: -draw.randint(1, min(len(content), 400))]


def lines_lost(content: bytes, draw: random.Random) -> bytes:
    """Its last lines are missing."""
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: -draw.randint(1, len(lines))])


def garbage_after(content: bytes, draw: random.Random) -> bytes:
    """Something else was written to its end."""
    return content + draw.randbytes(draw.randint(1, 300)) + draw.choice([b"", b"\n"])


def zeros_after(content: bytes, draw: random.Random) -> bytes:
    """A block of zeros, as after a power failure."""
    return content + bytes(draw.choice([1, 100, 4096]))


def zeros_at_end(content: bytes, draw: random.Random) -> bytes:
    """Its last block is zeros: the size was written, the data was not."""
    length = draw.randint(1, min(len(content), 1500))
    return content[:-length] + bytes(length)


def garbled_middle(content: bytes, draw: random.Random) -> bytes:
    """Some bytes within are others."""
    place = draw.randrange(len(content))
    return content[:place] + bytes(min(8, len(content) - place)) + content[place + 8 :]


def emptied(content: bytes, draw: random.Random) -> bytes:
    """Its size is zero."""
    return b""


CHANGES: dict[str, Change] = {
    "torn end": torn,
    "lost lines": lines_lost,
    "garbage at the end": garbage_after,
    "zeros at the end": zeros_after,
    "last block zeros": zeros_at_end,
    "garbled middle": garbled_middle,
    "emptied": emptied,
}
AT_REST = {
    f"{file}: {kind}": (file, change)
    for file in ("trials.jsonl", "calls.jsonl", "run.json")
    for kind, change in CHANGES.items()
    if file != "run.json" or kind != "lost lines"
}


def strike_at_rest(ordeal: Ordeal, kind: str) -> bool:
    """Damage one file of one run; False if there is none to damage."""
    name, change = AT_REST[kind]
    files = [run / name for run in ordeal.runs() if (run / name).exists() and (run / name).stat().st_size]
    if not files:
        return False
    ordeal.damage(kind, ordeal.draw.choice(files), lambda content: change(content, ordeal.draw))
    return True


def mounted(folder: Path, megabytes: int = 8) -> bool:
    """Mount a small disk at a folder; False where that is not permitted."""
    if os.geteuid() or not shutil.which("mount"):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "torture", str(folder)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Remove such a disk."""
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
