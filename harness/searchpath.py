"""Configuration files on ``hydra.searchpath``: none may be hidden by another file of the same name.

Hydra uses the first file of a name silently: this project's before those of the search path. A user's own
``conf/optimizer/tpe.yaml`` would silently be replaced by this project's.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import SettingError
from harness.merge_order import merge_order

ROOT = "config"
"""The root configuration; a file of this name on the search path is never read."""
OWN = ("main", "schema", "hydra")
"""Hydra's names of sources that are not from the search path."""


def refuse_shadowed(choices: Mapping[str, str | None], sources: Sequence[Any]) -> None:
    """Make sure that every chosen file exists in one folder only.

    Args:
        choices: Group -> chosen file, as composed by Hydra (``hydra.runtime.choices``).
        sources: Hydra's sources, in order: ``path``, ``schema`` and ``provider`` (``hydra.runtime.config_sources``).

    Raises:
        SettingError: Two folders have a file of one name, or a folder of the search path does not exist.
    """
    added = [source for source in sources if source["provider"] not in OWN and source["schema"] in ("file", "pkg")]
    if not added:
        return
    own = [Path(source["path"]) for source in sources if source["provider"] in OWN and source["schema"] == "file"]
    folders = [*own, *map(_folder, added)]
    for name in _names(choices, folders):
        found = [path for folder in folders if (path := folder / f"{name}.yaml").is_file()]
        if len(found) > 1 and not all(path.samefile(found[0]) for path in found):
            raise SettingError(_told(name, found))


def folders_of(sources: Sequence[Any]) -> list[Path]:
    """The folders with configuration files among Hydra's sources, in order, without Hydra's own.

    Raises:
        SettingError: A folder does not exist.
    """
    return [_folder(each) for each in sources if each["provider"] != "hydra" and each["schema"] in ("file", "pkg")]


def typed(overrides: Sequence[str]) -> list[Path]:
    """The folders of ``hydra.searchpath=[...]`` on a command line that Hydra does not read.

    Raises:
        SettingError: A folder does not exist.
    """
    given = [text.partition("=")[2] for text in overrides if text.startswith("hydra.searchpath=")]
    names = [name.strip(" '\"") for text in given for name in text.strip(" []").split(",")]
    schemes = [name.partition("://")[::2] if "://" in name else ("file", name) for name in names if name]
    return [_folder({"schema": schema, "path": path}) for schema, path in schemes]


def _folder(source: Any) -> Path:
    """The folder of one source.

    Raises:
        SettingError: It does not exist.
    """
    name = source["path"]
    folder = Path(name)
    if source["schema"] == "pkg":
        try:
            folder = Path(str(importlib.resources.files(name)))
        except (ValueError, ImportError, TypeError):
            raise SettingError(
                f"hydra.searchpath names pkg://{name}, and Python finds no such package; correct the name, or put the "
                "folder that holds it on Python's path, e.g. PYTHONPATH=."
            ) from None
    if not folder.is_dir():
        raise SettingError(f"hydra.searchpath names {name}, which does not exist; give an existing folder.")
    return folder


def _names(choices: Mapping[str, str | None], folders: Sequence[Path]) -> Iterator[str]:
    """The chosen files and those they build on, without suffix; Hydra's own groups may be replaced."""
    yield ROOT
    for group, choice in choices.items():
        if choice not in (None, "null") and not group.startswith("hydra/"):
            own = group.partition("@")[0]
            yield from (f"{own}/{name}" for name, _ in merge_order(own, str(choice), folders))


def _told(name: str, found: Sequence[Path]) -> str:
    used, *hidden = found
    others = " and ".join(map(str, hidden))
    if name == ROOT:
        return f"{others} is never read, since {used} is the root of every configuration; rename it or move it away."
    group, _, choice = name.rpartition("/")
    return (
        f"{group}={choice} could mean {used} or {others}, and Hydra uses the first silently; rename the other one, "
        f"e.g. {group}/my_{choice}.yaml, and give {group}=my_{choice}."
    )
