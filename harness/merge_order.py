"""Files of a choice: ``defaults: [plain]`` at the top of a file names others of its group that it inherits from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

SELF = "_self_"
"""The file itself in a defaults list; without it the file is merged last."""


def merge_order(group: str, name: str, folders: Sequence[Path]) -> list[tuple[str, Path]]:
    """The files of a choice in Hydra's order of merging: later ones replace values of earlier ones.

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
    """The contents of a configuration file; empty if it is not a mapping.

    Raises:
        YAMLError: It cannot be read as YAML.
    """
    return _parsed(path, path.stat().st_mtime_ns)


def loader() -> Any:
    """YAML's safe loader: the one in C, which is several times as fast, if PyYAML has it."""
    import yaml  # imported here, because --help must be fast

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def _parsed(path: Path, _changed: int) -> dict[str, Any]:
    import yaml

    with path.open(encoding="utf-8") as file:  # its name is in errors
        raw = yaml.load(file, Loader=loader())  # noqa: S506 - a safe one
    return {str(key): value for key, value in raw.items()} if isinstance(raw, Mapping) else {}
