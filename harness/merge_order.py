"""The files a choice is made of: ``defaults: [plain]`` at its top names others of its group that it builds on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

SELF = "_self_"
"""Stands in a defaults list for the file itself, which is merged last if it does not."""


def merge_order(group: str, name: str, folders: Sequence[Path]) -> list[tuple[str, Path]]:
    """The files of a choice in the order in which Hydra merges them: later ones replace what earlier ones say.

    Entries of a defaults list that choose from other groups are left to Hydra.

    Args:
        group: For example ``prompt``.
        name: The choice.
        folders: Roots of configuration files; as in Hydra, the first file of a name counts.

    Returns:
        Name and path of each file; empty if there is no such choice.
    """
    return _order(group, name, tuple(folders), ())


def _order(group: str, name: str, folders: tuple[Path, ...], above: tuple[str, ...]) -> list[tuple[str, Path]]:
    path = next((path for folder in folders if (path := folder / group / f"{name}.yaml").is_file()), None)
    if path is None or name in above:
        return []
    listed = contents(path).get("defaults")
    entries = [entry for entry in listed if isinstance(entry, str)] if isinstance(listed, list) else []
    found: list[tuple[str, Path]] = []
    for entry in entries if SELF in entries else [*entries, SELF]:
        beside = (PurePosixPath(name).parent / entry.lstrip("/")).as_posix()
        found += [(name, path)] if entry == SELF else _order(group, beside, folders, (*above, name))
    return found


def contents(path: Path) -> dict[str, Any]:
    """A configuration file as YAML has it; empty if it is no mapping.

    Raises:
        YAMLError: It cannot be read as YAML.
    """
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, _changed: int) -> dict[str, Any]:
    import yaml  # imported here, because --help must be fast

    with path.open(encoding="utf-8") as file:  # whose name stands in errors
        raw = yaml.safe_load(file)
    return {str(key): value for key, value in raw.items()} if isinstance(raw, Mapping) else {}
