"""The settings a plug-in takes, read off its own signature: names, kinds and which must be given.

This is the one place where the configuration's names and types are checked. What a value may be beyond its type (a
range, an existing task) is the plug-in's own business.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.errors import ContractError, SettingError, unknown
from harness.internals import offered
from harness.kinds import Kind, is_part, kind_of, refusal

_Target = TypeVar("_Target", bound=Callable[..., Any])
_Part = TypeVar("_Part", bound=type)
_FURTHER, _SPREAD = "takes_also", "is_spread"


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter.

    Attributes:
        kind: What it may be; None for anything.
        default: None where it has none.
        required: Whether it must be given.
        part: The class or protocol of a part that a group of the configuration builds; None for a plain value.
    """

    kind: Kind | None
    default: Any
    required: bool
    part: type | None = None


def takes_also(other: Callable[..., Any]) -> Callable[[_Target], _Target]:
    """Decorate a function that hands its ``**keywords`` on: they are checked like the settings of ``other``."""

    def decorated(function: _Target) -> _Target:
        setattr(function, _FURTHER, other)
        return function

    return decorated


def spread(part: _Part) -> _Part:
    """Decorate a data class whose fields are settings of whatever takes one, each by its own name."""
    setattr(part, _SPREAD, True)
    return part


def gathered(target: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for the target: its settings, those of a ``spread`` class in one object."""
    found = dict(settings)
    for each, hint in _hinted(target) or ():
        if hasattr(hint, _SPREAD) and each.name not in found:
            found[each.name] = hint(**{name: found.pop(name) for name in settings_of(hint)[0] if name in found})
    return found


def settings_of(target: Callable[..., Any]) -> tuple[dict[str, Setting], bool]:
    """The parameters that can be given by name, and whether others can be given too."""
    if (parameters := _hinted(target)) is None:
        return {}, True
    settings: dict[str, Setting] = {}
    for each, hint in parameters:
        if hasattr(hint, _SPREAD):
            settings |= settings_of(hint)[0]
        elif each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY):
            required = each.default is each.empty
            part = hint if is_part(hint) else None
            settings[each.name] = Setting(kind_of(hint), None if required else each.default, required, part)
    is_open = any(each.kind is each.VAR_KEYWORD for each, _ in parameters)
    if is_open and (other := getattr(target, _FURTHER, None)) is not None:
        further, is_open = settings_of(other)
        settings = further | settings
    return settings, is_open


def check_settings(
    target: Callable[..., Any], given: Mapping[str, Any], path: str, by_harness: Collection[str] = ()
) -> None:
    """Refuse what the target does not take.

    Args:
        target: A class or function.
        given: Setting -> value. One that holds an object to be built (``_target_``) is left to that object's own check.
        path: Before the names of its settings, as the user types them: ``optimizer``.
        by_harness: Arguments that do not come from the configuration.

    Raises:
        ContractError: It does not take what the harness gives it.
        SettingError: An unknown name, a value of another kind, or nothing for a setting without a default.
    """
    takes, is_open = settings_of(target)
    if not is_open and (missing := [name for name in by_harness if name not in takes]):
        raise ContractError(
            f"{target.__module__}.{target.__qualname__} takes no {missing[0]}; what {path} names is built "
            f"with {', '.join(by_harness)} and its own settings, by these names."
        )
    valid = takes.keys() - set(by_harness)
    for name, value in given.items():
        if name not in valid and (name in by_harness or not is_open):
            raise unknown(f"setting of {path}", name, offered(valid, given))
        kind = takes[name].kind if name in takes else None
        if kind is not None and not _is_built(value) and not kind.accepts(value):
            raise refusal(f"{path}.{name}", value, kind, takes[name].default)
    for name, setting in takes.items():
        if setting.required and name in valid and name not in given:
            words = "a value" if setting.kind is None else setting.kind.words
            raise SettingError(f"{path}.{name} is not set and has no default; give {words}: +{path}.{name}=...")


def _is_built(value: Any) -> bool:
    """Whether an object is built inside the value: what it will be is not known from its configuration."""
    if isinstance(value, Mapping):
        return "_target_" in value or any(map(_is_built, value.values()))
    return isinstance(value, list | tuple) and any(map(_is_built, value))


def _hinted(target: Callable[..., Any]) -> list[tuple[inspect.Parameter, Any]] | None:
    """Its parameters, each with its hint; None where it does not say them."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):  # some built in C have none
        return None
    return [(each, _resolved(target, each.name, each.annotation)) for each in parameters]


def _resolved(target: Any, name: str, annotation: Any) -> Any:
    """The hint itself where the annotation is text; Any where it names what is imported for type checkers alone."""
    function = inspect.unwrap(target.__init__ if inspect.isclass(target) else target)
    holder = types.SimpleNamespace(__annotations__={} if annotation is inspect.Parameter.empty else {name: annotation})
    try:
        hints = typing.get_type_hints(holder, getattr(function, "__globals__", {}), include_extras=True)
    except Exception:
        return Any
    return hints.get(name, Any)
