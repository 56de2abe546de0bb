"""Hashes of the source files of a run's classes, to detect later changes.

``git`` in run.json has the commit of this project. Plug-ins may be outside of it, or not yet committed.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.probe import leaves_as_is
from harness.provenance import ROOT, git_state

OWN = ("benchmarks", "harness", "llms", "optimizers")
"""This project's packages with such classes."""
GROUPS = ("benchmark", "optimizer", "start", "probe", "repair")
"""Groups whose classes affect a run's trials."""

Source = dict[str, Any]


def sources(config: Mapping[str, Any]) -> dict[str, Source]:
    """The source of each group's class, by group; only parent packages are imported.

    Args:
        config: A resolved configuration.

    Returns:
        ``file`` (relative to this project or the working folder if inside), ``sha256`` of its bytes (for a
        package: of all its Python files), and ``git``: of its folder (``harness.provenance.git_state``), or None for a
        class of this project. Groups without a class, classes without a Python file, and probe=none are left out.
    """
    nodes = {group: config.get(group) or {} for group in GROUPS}
    found = {
        group: _source(str(node["_target_"]))
        for group, node in nodes.items()
        if "_target_" in node and not leaves_as_is(node)
    }
    return {group: source for group, source in found.items() if source is not None}


def changed(before: Mapping[str, Source], after: Mapping[str, Source]) -> list[str]:
    """Files whose content changed; files known to one side only are not compared."""
    return [
        str(after[group]["file"])
        for group in after
        if group in before and before[group]["sha256"] != after[group]["sha256"]
    ]


def _source(target: str) -> Source | None:
    path = _file(target)
    if path is None:
        return None
    digest = hashlib.sha256()
    for file in sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]:
        digest.update(file.read_bytes())
    git = None if target.partition(".")[0] in OWN else git_state(path.parent)
    return {"file": _shown(path), "sha256": digest.hexdigest(), "git": git}


def _shown(path: Path) -> str:
    top = next((top for top in (ROOT, Path.cwd()) if path.is_relative_to(top)), None)
    return str(path) if top is None else path.relative_to(top).as_posix()


def _file(target: str) -> Path | None:
    """The file of a target's module: the longest prefix of its name that is a module."""
    parts = target.split(".")
    for length in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:length])
        loaded = sys.modules.get(name)
        try:
            spec = find_spec(name) if loaded is None else loaded.__spec__
        except Exception:  # a prefix is not a package, or its import fails
            spec = None
        if spec is not None and spec.origin is not None and spec.origin.endswith(".py"):
            return Path(spec.origin).resolve()
    return None
