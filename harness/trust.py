"""Check that a record builds only classes that configuration files name, since records may come from others.

Hydra imports and calls the class of each ``_target_``. In a run.json it is trusted only if a file of ``conf/``, a file
of a search path on the command line, or the command line itself names it at the same place of the same group.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.arguments import check_overrides
from harness.choice_files import composed
from harness.errors import RunError, SettingError
from harness.values import TARGET, Place

SEARCH_PATH = "hydra.searchpath"

SPECIAL = frozenset({TARGET, "_args_", "_partial_", "_recursive_", "_convert_"})
"""Keys that tell Hydra how to build an object."""
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
ANSWERED = {"recording", "replay", "live"}
"""Settings of a model that decide where its replies come from."""


class Trust:
    """Classes named by the configuration files, by place.

    Args:
        folders: Roots of configuration files, with a folder per group.
        said: Place -> class named by the command line.

    Raises:
        SettingError: A file cannot be read.
    """

    def __init__(self, folders: Iterable[Path], said: Mapping[Place, str]) -> None:
        self._nodes: dict[Place, list[Mapping[str, Any]]] = defaultdict(list)
        self._references: dict[Place, set[Place]] = defaultdict(set)
        for folder in (known := list(folders)):
            for file in sorted(folder.glob("*/**/*.yaml")):
                group, *inner = file.relative_to(folder).with_suffix("").parts
                for place, value in walk(_read(group, "/".join(inner), [folder, *known], file), (group,)):
                    self._learn(place, value)
        for place, target in said.items():
            self._nodes[place].append({TARGET: target, **dict.fromkeys(ANSWERED)})

    def _learn(self, place: Place, value: Any) -> None:
        if isinstance(value, Mapping) and SPECIAL & set(value):
            self._nodes[place].append(value)
        elif isinstance(value, str) and (found := _REFERENCE.fullmatch(value)):
            self._references[place].add(tuple(found[1].split(".")))

    def nodes(self, place: Place) -> list[Mapping[str, Any]]:
        """The nodes that the files build at a place, including those they refer to."""
        return self._nodes_at(place, frozenset())

    def _nodes_at(self, place: Place, seen: frozenset[Place]) -> list[Mapping[str, Any]]:
        found = list(self._nodes.get(place, ()))
        for length in range(1, len(place) + 1):
            for other in self._references.get(place[:length], ()):
                if (further := other + place[length:]) not in seen:
                    found += self._nodes_at(further, seen | {place})
        return found

    def check(self, config: Mapping[str, Any]) -> None:
        """Refuse a configuration that builds anything else.

        Raises:
            RunError: It names a class that no file names at that place, or a model that cannot be limited to its log.
        """
        for place, value in walk(config):
            if isinstance(value, Mapping):
                for key in sorted(SPECIAL & set(value), reverse=True):
                    if not any(key in node and node[key] == value[key] for node in self.nodes(place)):
                        raise RunError(_refusal(".".join(place), key, value[key]))
                self.is_model(place, value)

    def is_model(self, place: Place, node: Mapping[str, Any]) -> bool:
        """Whether a checked configuration builds a model with recorded replies at a place.

        Raises:
            RunError: It is a model that cannot be limited to its record.
        """
        named = [each for each in self.nodes(place) if TARGET in each and each[TARGET] == node.get(TARGET)]
        if any(set(each) >= ANSWERED for each in named):
            return True
        if any(node.get(TARGET) == each.get(TARGET) for each in self._of_group("llm")):
            raise RunError(
                f"{node[TARGET]} cannot be replayed: its configuration file lacks {', '.join(sorted(ANSWERED))}, with "
                "which a model is restricted to its recorded replies."
            )
        return False

    def _of_group(self, group: str) -> Iterator[Mapping[str, Any]]:
        for place, nodes in self._nodes.items():
            if place[0] == group:
                yield from nodes

    def default(self, group: str, target: object, key: str) -> Any:
        """A setting in the first file that names this class; None without one."""
        return next((node[key] for node in self.nodes((group,)) if node.get(TARGET) == target and key in node), None)


def walk(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """All values of a configuration with their places, from the top."""
    yield place, value
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from walk(item, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from walk(item, (*place, "[]"))


def from_command_line(overrides: Sequence[str], conf: Path) -> tuple[Trust, dict[Place, Any]]:
    """The trusted classes of a command line, and the settings that replace recorded ones.

    Args:
        overrides: As for ``harness.run``: ``hydra.searchpath=[...]``, ``<group>._target_=...``, and so on.
        conf: This project's own configuration files.

    Raises:
        SettingError: An override is not one of these, or cannot be read.
    """
    folders, said = [conf], dict[Place, str]()
    settings: dict[Place, Any] = {}
    for override in _parsed(overrides, "replay takes one"):
        place, value = tuple(override.key_or_group.split(".")), override.value()
        if override.key_or_group == SEARCH_PATH and isinstance(value, list):
            folders += [_folder(str(entry)) for entry in value]
        elif place[-1] == TARGET and isinstance(value, str):
            said[place[:-1]] = value
        elif len(place) == 2 and place[0] == "benchmark" and place[1] in ("cache", "folder"):
            settings[place] = value
        else:
            raise SettingError(
                f"{override.input_line!r} is not an override of replay; it takes hydra.searchpath=[...], "
                "<group>._target_=..., benchmark.folder=... and benchmark.cache=...; all else is recorded."
            )
    return Trust(folders, said), settings


def search_path(overrides: Sequence[str]) -> list[Path]:
    """The folders that a command line adds with ``hydra.searchpath=[...]``.

    Raises:
        SettingError: An override is not this one, or a folder does not exist.
    """
    folders = []
    for override in _parsed(overrides, "give this command one"):
        value = override.value()
        if override.key_or_group != SEARCH_PATH or not isinstance(value, list):
            raise SettingError(
                f"{override.input_line!r} is not an override of this command, which takes {SEARCH_PATH}=[...]."
            )
        folders += [_folder(str(entry)) for entry in value]
    return folders


def _parsed(overrides: Sequence[str], several: str) -> list[Any]:
    """The parsed overrides of a command line; ``several`` is the advice for an override with several values."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    check_overrides(overrides, several)
    return list(OverridesParser.create().parse_overrides(list(overrides)))


def _folder(entry: str) -> Path:
    """A folder of Hydra's search path.

    Raises:
        SettingError: The folder does not exist.
    """
    kind, separator, rest = entry.partition("://")
    folder = Path(rest if separator and kind == "file" else entry)
    if separator and kind == "pkg":
        spec = importlib.util.find_spec(rest.partition("/")[0].replace("/", "."))
        folder = Path(*(spec.submodule_search_locations or [""] if spec else [""]), *rest.split("/")[1:])
    if not folder.is_dir():
        raise SettingError(f"hydra.searchpath names {entry!r}, which is not a folder; give one with YAML files.")
    return folder


def _read(group: str, name: str, folders: Sequence[Path], file: Path) -> Any:
    from yaml import YAMLError

    try:
        return composed(group, name, folders)
    except (OSError, ValueError, YAMLError) as error:
        raise SettingError(f"{file} cannot be read ({' '.join(str(error).split())[:200]}).") from None


def _refusal(place: str, key: str, value: Any) -> str:
    what = value if key == TARGET else f"{key}: {json.dumps(value, default=repr)[:80]}"
    shown = str(what)[:160].encode("unicode_escape").decode("ascii")
    return (
        f"{place or 'the configuration'} names {shown}, which no configuration file names there, so nothing of this "
        "run is built; if it is yours, name its folder as for the run itself, with 'hydra.searchpath=[...]', or its "
        f"class with '{place}.{TARGET}=...'."
    )
