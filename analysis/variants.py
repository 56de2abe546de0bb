"""Methods that differ in one choice or setting alone: which of them are to be compared with which."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.load import Run
from harness.method import GROUPS, NAMED, comparable


@dataclass(frozen=True, slots=True)
class Variant:
    """A method and the one it departs from in a single group's choice.

    Attributes:
        method: As the folders name it.
        base: The same without the choice, under its name; it may not have been run.
        choice: What was chosen in the group; None where nobody chose, which is the default.
    """

    method: str
    base: str
    choice: str | None


def variant(method: str, group: str) -> Variant:
    """One method's choice in a group, read from its name."""
    first, *parts = method.split("+")
    chosen = [part for part in parts if part.startswith(f"{group}=")]
    base = "+".join([first, *(part for part in parts if part not in chosen)])
    return Variant(method, base, chosen[0].removeprefix(f"{group}=") if chosen else None)


def families(methods: Iterable[str], group: str) -> dict[str, tuple[Variant, ...]]:
    """Methods that differ in one group's choice alone: the name without the choice -> at least two variants.

    The one with the default choice comes first, if it was run; the others follow in the order of ``methods``.

    Args:
        methods: As the folders name them.
        group: One of ``harness.method.NAMED``.
    """
    assert group in NAMED
    found: dict[str, list[Variant]] = {}
    for method in methods:
        read = variant(method, group)
        found.setdefault(read.base, []).append(read)
    return {
        base: tuple(sorted(variants, key=lambda each: each.choice is not None))
        for base, variants in found.items()
        if len(variants) > 1
    }


def settings(runs: Iterable[Run], group: str, setting: str) -> tuple[dict[int, str], ...]:
    """Methods that differ in one setting of a group alone, by the configurations of their runs: value -> method.

    Each family has at least two values, in rising order. A method without the group, or without a whole number there,
    is in none.

    Args:
        runs: Of any methods.
        group: For example ``decoding``.
        setting: For example ``max_tokens``.
    """
    found: dict[str, dict[int, str]] = {}
    for run in runs:
        config = comparable({name: run.info["config"].get(name) for name in ("optimizer", *GROUPS)})
        value = config[group].get(setting) if isinstance(config[group], Mapping) else None
        if type(value) is int:
            rest = json.dumps(_without(config, group, setting), sort_keys=True)
            found.setdefault(rest, {}).setdefault(value, run.method)
    return tuple(dict(sorted(values.items())) for values in found.values() if len(values) > 1)


def _without(config: Any, group: str, setting: str) -> Any:
    """The configuration without the setting, also where the optimizer's part repeats the group."""
    if not isinstance(config, Mapping):
        return config
    kept = {key: _without(value, group, setting) for key, value in config.items()}
    if isinstance(kept.get(group), dict):
        kept[group].pop(setting, None)
    return kept
