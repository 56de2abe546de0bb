"""Families of methods that differ only in one choice or setting."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.runs.load import Experiment, Run
from harness.identity import Identity
from harness.method import GROUPS, NAMED, comparable


@dataclass(frozen=True, slots=True)
class Variant:
    """A method, and its base without the choice of one group.

    Attributes:
        method: Name in the experiment.
        base: Folder name of the same method without the choice; it may not have been run.
        choice: The choice, with the form of the schema (``json_schema flat``); None for the default.
    """

    method: str
    base: str
    choice: str | None


def variant(run: Run, group: str) -> Variant:
    """A run's choice in a group."""
    identity, form = run.identity, f"{group}.schema"
    chosen = [identity.varied.get(group), identity.settings.get(form)]
    choices = {key: choice for key, choice in identity.choices.items() if key != group}
    settings = {key: value for key, value in identity.settings.items() if key != form}
    base = Identity(choices, settings).method()
    return Variant(run.method, base, " ".join(str(each) for each in chosen if each is not None) or None)


def families(experiment: Experiment, group: str) -> dict[str, tuple[Variant, ...]]:
    """Methods that differ only in one group's choice: common name -> at least two variants.

    The method with the default choice comes first, if it was run; the others follow in the experiment's order. Its name
    is the family's name, except for groups whose labels include the default, such as the decoding.

    Args:
        experiment: The experiment.
        group: One of ``harness.method.NAMED``.
    """
    assert group in NAMED
    found: dict[str, dict[str, Variant]] = {}
    first: dict[str, Run] = {}
    for run in _distinct(experiment.runs):
        read = variant(run, group)
        found.setdefault(read.base, {}).setdefault(read.method, read)
        first.setdefault(read.base, run)
    several = {
        base: tuple(sorted(variants.values(), key=lambda each: each.choice is not None))
        for base, variants in found.items()
        if len(variants) > 1
    }
    names = {base: _family(experiment, group, first[base], variants) for base, variants in several.items()}
    unique = [*experiment.methods, *names.values()]
    return {_apart(names[base], base, variants, unique): variants for base, variants in several.items()}


def _distinct(runs: Iterable[Run]) -> Iterable[Run]:
    """The first run of each method and identity."""
    found: dict[tuple[str, tuple[int, int]], Run] = {}
    for run in runs:
        found.setdefault((run.method, run.shared), run)
    return found.values()


def _family(experiment: Experiment, group: str, run: Run, variants: Sequence[Variant]) -> str:
    if experiment.labels is None:
        return variant(run, group).base
    plain = variants[0] if variants[0].choice is None and group != "decoding" else None
    return plain.method if plain else experiment.labels.without(run.folder_method, group)


def _apart(name: str, base: str, variants: Sequence[Variant], names: Sequence[str]) -> str:
    """A family's name that is unique among families and the methods of others."""
    members = [each.method for each in variants]
    others = [each for each in names if each not in members]
    return name if others.count(name) <= (name not in members) else f"{name} ({base})"


def folder_names(experiment: Experiment) -> dict[str, str]:
    """Names of methods and families -> folder names."""
    found = {name: variants[0].base for group in NAMED for name, variants in families(experiment, group).items()}
    return found | {run.method: run.folder_method for run in experiment.runs}


def settings(runs: Iterable[Run], group: str, setting: str) -> tuple[dict[int, str], ...]:
    """Methods that differ only in one setting of a group, by their configurations: value -> method.

    Each family has at least two values, in increasing order. Methods without a whole number for the setting are in no
    family.

    Args:
        runs: The runs.
        group: For example ``decoding``.
        setting: For example ``max_tokens``.
    """
    found: dict[str, dict[int, str]] = {}
    for run in runs:
        if not isinstance(run.info["config"].get(group), Mapping):
            continue
        config = comparable({name: run.info["config"].get(name) for name in ("optimizer", *GROUPS)})
        value = config[group].get(setting)
        if type(value) is int:
            rest = json.dumps(_without(config, group, setting), sort_keys=True)
            found.setdefault(rest, {}).setdefault(value, run.method)
    return tuple(dict(sorted(values.items())) for values in found.values() if len(values) > 1)


def _without(config: Any, group: str, setting: str) -> Any:
    """The configuration without the setting, also in the optimizer's copy of the group."""
    if not isinstance(config, Mapping):
        return config
    kept = {key: _without(value, group, setting) for key, value in config.items()}
    if isinstance(kept.get(group), dict):
        kept[group].pop(setting, None)
    return kept
