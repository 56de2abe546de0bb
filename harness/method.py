"""A method's name: the optimizer and every choice that sets this variant apart, in fixed order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.names import component, part
from harness.plumbing import NOTHING, WHEREABOUTS, without_plumbing

GROUPS = ("llm", "prompt", "decoding", "repair", "probe", "start")
"""Groups that can change a method, in the order in which they are named."""

BUDGET = "budget"
NAMED = (*GROUPS, BUDGET)
"""Groups whose choice can be part of a method's name, in this order: also which budget it had."""

ALWAYS_USED = ("repair", "probe", "start")
"""Groups that act on every optimizer; the others count only where the optimizer's configuration refers to them."""

_MODELS = ("llm.", "optimizer.chat.")
"""Where a configuration has a model's settings."""
DECODING = "llms.decoding.Decoding"
_TAKEN_AWAY = "\0"
"""The value of a key that is taken away: no command line can hold it."""


def used_groups(optimizer: Any) -> set[str]:
    """The groups that an optimizer's raw configuration takes part of, as in ``chat: ${llm}``."""
    text = str(optimizer)
    return {group for group in GROUPS if group in ALWAYS_USED or re.search(r"\$\{" + group + r"[.}]", text)}


def method_name(
    optimizer: str,
    used: set[str],
    choices: Mapping[str, str | None],
    defaults: Mapping[str, str | None],
    overrides: Sequence[str] = (),
) -> str:
    """Name a variant, for example ``llm_chat+decoding=json_schema+history=compressed``.

    Args:
        optimizer: The optimizer's name.
        used: Groups this optimizer uses (``used_groups``).
        choices: Group -> chosen file.
        defaults: Group -> file chosen when nobody chooses.
        overrides: The command line's overrides; those of a setting inside the optimizer or a used group are part of
            the name, so that two variants never share a folder. A budget's are not: how long runs are is up to the
            experiment, and a run of another length is refused. Nor is what changes no reply (``harness.plumbing``).
    """
    parts = [
        f"{group}={part(str(choices[group]), '.')}"
        for group in NAMED
        if (group in used or group == BUDGET) and choices.get(group) not in (None, "null", defaults.get(group))
    ]
    settings = []
    said = dict(map(_read, overrides))
    schema = {"mode": said.get("decoding.mode", choices.get("decoding"))}
    for key, value in map(_read, overrides):
        group, _, setting = key.partition(".")
        if key == "decoding.schema" and not (under_schema(schema) and value == "flat"):
            continue
        if setting and (group == "optimizer" or group in used) and (kept := _of_the_method(key, value)) is not None:
            settings.append(f"{setting if group == 'optimizer' else key}={kept}")
    return component("+".join([part(optimizer, "."), *parts, *(part(setting, ".=") for setting in sorted(settings))]))


def task_name(task: str, overrides: Sequence[str] = ()) -> str:
    """Name a variant of a task, for example ``31+leak=v1+model=svm``: two variants never share a folder."""
    settings = []
    for key, value in map(_read, overrides):
        group, _, setting = key.partition(".")
        if group == "benchmark" and setting not in {"", "task", "_target_", *WHEREABOUTS}:
            settings.append(part(f"{setting}={value}", ".="))
    return "+".join([part(task, ".="), *sorted(settings)])


def comparable(config: Any) -> Any:
    """A recorded configuration without its model's plumbing and its benchmark's whereabouts.

    What is left must be the same for a run to be the same.
    """
    if not isinstance(config, Mapping):
        return config
    kept = {key: comparable(value) for key, value in config.items()}
    if kept.get("_target_") == DECODING:
        kept = {key: value for key, value in with_schema_form(kept).items() if key != "schema" or under_schema(kept)}
    if isinstance(kept.get("benchmark"), Mapping):
        kept["benchmark"] = {key: value for key, value in kept["benchmark"].items() if key not in WHEREABOUTS}
    if "recording" not in config:
        return kept
    of_model = {key: without_plumbing(str(key), value) for key, value in kept.items()}
    return {key: value for key, value in of_model.items() if value is not NOTHING}


def is_plumbing(key: str) -> bool:
    """Whether a setting in a method's name is a model's plumbing: names of older runs hold some."""
    model = key if key.startswith(_MODELS) else f"optimizer.{key}"
    return any(model.startswith(place) and without_plumbing(model[len(place) :], key) is NOTHING for place in _MODELS)


def _of_the_method(key: str, value: str) -> str | None:
    """An override's value as a name says it; None where it is plumbing of a model."""
    model = next((key.removeprefix(place) for place in _MODELS if key.startswith(place)), None)
    if model is None:
        return value
    read = _parsed(value)
    kept = without_plumbing(model, read)
    return None if kept is NOTHING else value if kept == read else _written(kept)


def _parsed(value: str) -> Any:
    """What a list, a mapping or nothing at all on the command line is; other values as they are."""
    if value in {"null", _TAKEN_AWAY}:
        return None
    if value[:1] not in {"[", "{"}:
        return value
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(f"key={value}").value()
    except HydraException:
        return value


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{each}' for key, each in value.items())}}}"
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)


def with_schema_form(decoding: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded decoding that says which form its schema had: before there was a choice, all were flat."""
    return {"schema": "flat", **decoding}


def under_schema(decoding: Mapping[str, Any]) -> bool:
    """Whether it has a schema, so that the schema's form matters."""
    return decoding.get("mode") == "json_schema"


def _read(override: str) -> tuple[str, str]:
    """Key and value of an override; one that takes the key away has a value that no command line can hold."""
    key, _, value = override.partition("=")
    return (key[1:], _TAKEN_AWAY) if key.startswith("~") else (key.lstrip("+"), value)
