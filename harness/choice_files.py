"""Find the choice of a group that matches a configuration by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.class_defaults import class_default, effective_differences
from harness.jsonl import plain
from harness.merge_order import contents, merge_order
from harness.method import comparable
from harness.provenance import ROOT
from harness.values import MISSING, TARGET, Difference, Place, differences, same

if TYPE_CHECKING:
    from harness.trust import Trust

CONF = ROOT / "conf"
"""This project's own configuration files."""


@cache
def default_choices() -> dict[str, str | None]:
    """Group -> default choice, from the defaults list of conf/config.yaml."""
    entries = contents(CONF / "config.yaml")["defaults"]
    return {str(group): choice for entry in entries if isinstance(entry, Mapping) for group, choice in entry.items()}


class ChoiceFiles:
    """The files of several ``conf`` folders.

    Args:
        folders: Root folders, each with one folder per group. As in Hydra, the first file of a name counts.
        trust: For untrusted configurations: the only classes that may be imported.
    """

    def __init__(self, folders: Sequence[Path], trust: Trust | None = None) -> None:
        self._folders, self._trust = tuple(folders), trust

    def nearest(self, group: str, config: Mapping[str, Any], chosen: str | None) -> tuple[str | None, list[Difference]]:
        """The choice that differs from a configuration's group in the fewest settings, and these settings.

        It depends only on values, so ``prompt=context_full`` and ``prompt.context=full`` are the same choice. Ties are
        resolved by preferring the default, then this project's files, then alphabetical order. If no file builds the
        group's class, the choice is ``chosen``, and every setting differs from it.

        Args:
            group: For example ``prompt``.
            config: The whole resolved configuration; the group is not null.
            chosen: The group's choice on the command line, if known.
        """
        node = plain(comparable({group: config[group]})[group])
        if not isinstance(node, Mapping):
            return chosen, [((), MISSING, node)]
        target = node.get(TARGET, MISSING)
        found: list[tuple[int, bool, int, str, list[Difference]]] = []
        for name, (rank, raw) in _candidates(group, self._folders, target).items():
            if same(raw.get(TARGET, MISSING), target):
                told = list(self._differences(group, raw, node, config))
                found.append((len(told), name != default_choices().get(group), rank, name, told))
        if not found:
            return chosen, list(differences({}, node))
        *_, name, told = min(found, key=lambda each: each[:4])
        return name, told

    def value(self, group: str, config: Mapping[str, Any], setting: str) -> Any:
        """A setting's value in a configuration, else its class's default; None if it has neither."""
        node = config.get(group)
        if isinstance(node, Mapping) and setting in node:
            return node[setting]
        found = class_default(config, (group, setting), self._may_import)
        return None if found is MISSING else found

    def has(self, group: str, choice: str) -> bool:
        """Whether there is such a file."""
        return choice in _paths(group, self._folders)

    def _differences(
        self, group: str, raw: Mapping[str, Any], node: Mapping[str, Any], config: Mapping[str, Any]
    ) -> Iterator[Difference]:
        file = plain(comparable({group: _resolved(group, raw, config)})[group])
        return effective_differences(file, node, lambda place, target: self._may_import((group, *place), target))

    def _may_import(self, place: Place, target: str) -> bool:
        return self._trust is None or any(node.get(TARGET) == target for node in self._trust.nodes(place))


@cache
def _paths(group: str, folders: tuple[Path, ...]) -> dict[str, tuple[int, Path]]:
    """Choice -> rank of its folder, and its file."""
    found: dict[str, tuple[int, Path]] = {}
    for rank, folder in enumerate(folders):
        for path in sorted((folder / group).glob("**/*.yaml")):
            found.setdefault(path.relative_to(folder / group).with_suffix("").as_posix(), (rank, path))
    return found


def _candidates(group: str, folders: tuple[Path, ...], target: Any) -> dict[str, tuple[int, dict[str, Any]]]:
    """Choice -> rank of its folder and contents, with unresolved references; of all files that may have the target.

    Reading YAML is slow, so a file that neither mentions the class nor builds on another file is not read.
    """
    class_name = target.rpartition(".")[2] if isinstance(target, str) else ""
    return {
        name: (rank, _content(group, name, folders))
        for name, (rank, path) in _paths(group, folders).items()
        if any(word in _text(path) for word in (class_name, "defaults", "\\"))
    }


@cache
def _content(group: str, name: str, folders: tuple[Path, ...]) -> dict[str, Any]:
    return composed(group, name, folders)


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def composed(group: str, name: str, folders: Sequence[Path]) -> dict[str, Any]:
    """A choice merged with the files of its group that it builds on, with unresolved references.

    Other entries of a defaults list are left to Hydra; their settings then count as differences.
    """
    from omegaconf import OmegaConf

    parts = []
    for _, path in merge_order(group, name, folders):
        raw = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
        own = {key: value for key, value in raw.items() if key != "defaults"} if isinstance(raw, dict) else {}
        parts.append(own[group] if _is_global(path) and isinstance(own.get(group), Mapping) else own)
    merged = OmegaConf.to_container(OmegaConf.merge({}, *parts), resolve=False)
    assert isinstance(merged, dict)
    return {str(key): value for key, value in merged.items()}


def _is_global(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        return any("@package _global_" in line for line in file if line.startswith("#"))


def _resolved(group: str, raw: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """A file's values resolved in a configuration; unresolvable references stay as written."""
    if "${" not in str(raw):
        return raw
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    whole = OmegaConf.create({**config, group: dict(raw), "folder": "."})
    try:
        return OmegaConf.to_container(whole[group], resolve=True)
    except OmegaConfBaseException:
        return raw
