"""Explain in one sentence why Hydra refused the key of an override."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import SettingError, unknown
from harness.internals import offered

LAUNCHER = "hydra.launcher."
OPEN = "environment"
"""A setting that accepts names which no file lists."""


def as_typed(hydra: Any, kind: str = "task") -> list[str]:
    """The overrides of the command line, with their ``${...}``, which iterating over them would resolve: too early.

    Args:
        hydra: Hydra's own configuration.
        kind: ``task``, or ``hydra`` for those of its own settings.
    """
    from omegaconf import OmegaConf

    given: Any = OmegaConf.to_container(hydra.overrides, resolve=False)
    return [str(text) for text in given[kind]]


def about_key(error: Exception, overrides: Sequence[str]) -> SettingError | None:
    """The error for "Could not override 'budget.proposal'": valid keys, or the correct way to give the key.

    Args:
        error: Hydra's error.
        overrides: The command line, for its choices of groups.
    """
    message = str(error)
    if there := re.search(r"Could not append to config. An item is already at '([^']+)'", message):
        return SettingError(f"{there[1]} exists already; give {there[1]}=... without the +.")
    if twice := re.match(r"Multiple values for ([\w./@-]+)\.", message):
        return SettingError(f"{twice[1]} is chosen already; give {twice[1]}=... once and without a +.")
    found = re.search(r"Could not (?:override|delete from config\.) '([\w./@-]+)'(?: does not exist)?", message)
    if not found:
        return None
    inner = re.search(r"full_key: ([\w.]+)", f"{error.__cause__}")  # for benchmark={a: 1} it is benchmark.a
    key = inner[1] if inner else found[1]
    if key.startswith(LAUNCHER):
        return _of_launcher(key.removeprefix(LAUNCHER), overrides)
    try:
        return _unknown_key(key, _composed(overrides))
    except Exception:  # the sentence below is less specific, but correct
        return SettingError(
            f"Unknown setting {key!r}; python -m harness.list --all lists the valid ones, --hydra-help those of Hydra."
        )


def _of_launcher(setting: str, overrides: Sequence[str]) -> SettingError:
    """The error for a setting that the launcher does not have, with the launchers that have it."""
    from hydra.core.config_store import ConfigStore

    from harness.choice_files import default_choices

    chosen = [text.partition("=")[2] for text in overrides if text.startswith("hydra/launcher=")]
    name = chosen[-1] if chosen else str(default_choices()["override hydra/launcher"])
    store = ConfigStore.instance()
    settings = {
        file.removesuffix(".yaml"): [str(key) for key in store.load(f"hydra/launcher/{file}").node or ()]
        for file in store.list("hydra/launcher")
    }
    having = [each for each, keys in settings.items() if setting in keys]
    if not having:
        own = (key for key in settings.get(name, ()) if not key.startswith("_"))
        return unknown(f"setting of hydra/launcher={name}", setting, own)
    return SettingError(f"hydra/launcher={name} has no setting {setting!r}; launchers with it: {', '.join(having)}.")


def _unknown_key(key: str, config: Any) -> SettingError:
    from omegaconf import OmegaConf

    parent, _, last = key.rpartition(".")
    parts = [part for part in parent.split(".") if part]
    node, raw = config, OmegaConf.to_container(config, resolve=False)
    for number, part in enumerate(parts):
        node = node[part]
        raw = raw[part] if isinstance(raw, Mapping) else None
        if isinstance(raw, str) and (other := re.fullmatch(r"\$\{([\w.]+)\}", raw)):
            elsewhere = ".".join([other[1], *parts[number + 1 :], last])
            return SettingError(
                f"{'.'.join(parts[: number + 1])} is {other[1]}; give {elsewhere}=... instead of {key}."
            )
    if parts[-1:] == [OPEN]:
        return SettingError(f"{parent} has no {last} yet; add it with a +: +{key}=...")
    known: Any = OmegaConf.to_container(node, resolve=False)
    if last in known:  # Hydra treats a setting that is null as missing
        return SettingError(f"{key} is null, and Hydra removes only keys with a value; leave ~{key} out.")
    return unknown(f"setting of {parent}" if parent else "setting", last, offered(known, known, root=not parent))


def _composed(overrides: Sequence[str]) -> Any:
    """The configuration with the group choices of the command line and none of its settings."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    from harness.choice_files import CONF

    groups = {path.name for path in CONF.iterdir() if path.is_dir()}
    groups.add("hydra.searchpath")
    chosen = [
        text
        for text in overrides
        if text.partition("=")[0] in groups and "{" not in text and ("," not in text or "[" in text)
    ]
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides=chosen)
