"""Settings of a plug-in, read from its signature: names, types, and which are required.

The only place where names and types of the configuration are checked. Further limits of a value (a
range, an existing task) are checked by the plug-in itself.
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
from harness.kinds import Kind, is_part, kind_of, refusal, said
from harness.moved import respelled

_Target = TypeVar("_Target", bound=Callable[..., Any])
_Part = TypeVar("_Part", bound=type)
_FURTHER, _SPREAD = "takes_also", "is_spread"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        kind: Values allowed; None for any.
        default: None if there is no default.
        required: Whether it must be given.
        part: Class or protocol if a configuration group builds the value; None for a plain value.
    """

    kind: Kind | None
    default: Any
    required: bool
    part: type | None = None


def takes_also(other: Callable[..., Any]) -> Callable[[_Target], _Target]:
    """Decorate a function or class that passes ``**keywords`` on to ``other``: they are checked like its settings."""

    def decorated(function: _Target) -> _Target:
        setattr(function, _FURTHER, other)
        return function

    return decorated


def spread(part: _Part) -> _Part:
    """Decorate a data class whose fields become settings of each class that takes one, under their own names."""
    setattr(part, _SPREAD, True)
    return part


def gathered(target: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for the target: its settings, with those of a ``spread`` class in one object.

    Keywords that the target passes on, to the function of ``takes_also`` or to its base class, are gathered for that.
    """
    parameters = _hinted(target) or []
    own, found = {each.name for each, _ in parameters}, dict(settings)
    for each, hint in parameters:
        fields = settings_of(hint)[0] if hasattr(hint, _SPREAD) else {}
        if each.name not in found and not fields.keys().isdisjoint(found):
            found[each.name] = hint(**{name: found.pop(name) for name in fields if name in found})
    if any(each.kind is each.VAR_KEYWORD for each, _ in parameters) and (receiver := _passed_on_to(target)) is not None:
        further = {name: found.pop(name) for name in settings if name in found and name not in own}
        found |= gathered(receiver, further)
    return found


def _passed_on_to(target: Callable[..., Any]) -> Callable[..., Any] | None:
    """The function that gets the target's ``**keywords``; None if unknown."""
    if (other := getattr(target, _FURTHER, None)) is not None or not inspect.isclass(target):
        return other
    _, *above = (base for base in target.__mro__ if "__init__" in vars(base))  # the first is the target's own
    return next((base for base in above if base is not object), None)


def settings_of(target: Callable[..., Any]) -> tuple[dict[str, Setting], bool]:
    """The parameters that can be given by name, and whether others are accepted too."""
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
    """Refuse settings that the target does not accept.

    Args:
        target: A class or function.
        given: Setting -> value. Nested objects (``_target_``) are checked separately.
        path: Prefix of its settings, as typed: ``optimizer``.
        by_harness: Arguments that the harness passes.

    Raises:
        ContractError: The target does not accept an argument of the harness, or takes a setting twice.
        SettingError: An unknown name, a value of the wrong type, or a required setting without a value.
    """
    takes, is_open = settings_of(target)
    _refuse_taken_twice(target)
    if not is_open and (missing := [name for name in by_harness if name not in takes]):
        raise ContractError(
            f"{target.__module__}.{target.__qualname__} takes no {missing[0]}; the class of {path} is built "
            f"with {', '.join(by_harness)} and its own settings, by these names."
        )
    valid = takes.keys() - set(by_harness)
    for name, value in given.items():
        if name not in valid and (name in by_harness or not is_open):
            raise unknown(f"setting of {path}", name, offered(valid, given))
        if (now := respelled(f"{target.__module__}.{target.__qualname__}", name, value)) is not None:
            raise SettingError(f"{path}.{name}={said(value)} is an old spelling; give {path}.{name}={now}.")
        kind = takes[name].kind if name in takes else None
        if kind is not None and not _is_built(value) and not kind.accepts(value):
            raise refusal(f"{path}.{name}", value, kind, takes[name].default)
    for name, setting in takes.items():
        if setting.required and name in valid and name not in given:
            words = "a value" if setting.kind is None else setting.kind.words
            raise SettingError(f"{path}.{name} is not set and has no default; give {words}: +{path}.{name}=...")


def _refuse_taken_twice(target: Callable[..., Any]) -> None:
    """Refuse a parameter with the name of a field of a ``spread`` class, since only one of them gets the value."""
    taken: set[str] = set()
    for each, hint in _hinted(target) or ():
        names = settings_of(hint)[0].keys() if hasattr(hint, _SPREAD) else {each.name}
        if twice := sorted(taken & names):
            raise ContractError(
                f"{target.__module__}.{target.__qualname__} takes {twice[0]} twice, as a parameter and in a parameter "
                "that has it too; rename the parameter."
            )
        taken |= names


def _is_built(value: Any) -> bool:
    """Whether an object is built inside the value, whose type is unknown from the configuration."""
    if isinstance(value, Mapping):
        return "_target_" in value or any(map(_is_built, value.values()))
    return isinstance(value, list | tuple) and any(map(_is_built, value))


def _hinted(target: Callable[..., Any]) -> list[tuple[inspect.Parameter, Any]] | None:
    """The parameters with their type hints; None if there is no signature."""
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):  # some C functions have none
        return None
    return [(each, _resolved(target, each.name, each.annotation)) for each in parameters]


def _resolved(target: Any, name: str, annotation: Any) -> Any:
    """The evaluated hint; Any if it names something imported for type checkers only."""
    function = inspect.unwrap(target.__init__ if inspect.isclass(target) else target)
    holder = types.SimpleNamespace(__annotations__={} if annotation is inspect.Parameter.empty else {name: annotation})
    try:
        hints = typing.get_type_hints(holder, getattr(function, "__globals__", {}), include_extras=True)
    except Exception:
        return Any
    return hints.get(name, Any)
