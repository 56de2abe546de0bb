"""Kinds of settings: the values that a type hint allows, and their names in messages.

YAML has null, booleans, numbers, text, lists and mappings. Other hints (an array, a callable) are not checked: an
external plug-in may convert the values it gets.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import math
import types
import typing
from collections import abc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from harness.errors import SettingError, unknown

LONGEST_VALUE = 80
"""Longest value quoted in a message, in characters."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """The values that a setting may have.

    Attributes:
        words: Text after "give": ``a whole number or null``.
        accepts: Whether a value is of this kind.
        plural: The plural, for the items of a list.
        example: A value as typed on the command line; empty if none helps.
        choices: All values as typed on the command line, if they are finite in number.
    """

    words: str
    accepts: Callable[[Any], bool]
    plural: str = "values"
    example: str = ""
    choices: tuple[str, ...] = ()


def is_whole(value: Any) -> bool:
    """Whether the value is an int; booleans and 2.0 are not."""
    return type(value) is int


def is_finite(value: Any) -> bool:
    """Whether the value is a number that JSON can represent."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


_NULL = Kind("null", lambda value: value is None, choices=("null",))
_PART = Kind(
    "an object built by a group of the configuration, such as ${llm} or ${prompt}",
    lambda value: not isinstance(value, bool | int | float | str | list | tuple | None),
)
_SIMPLE: dict[Any, Kind] = {
    bool: Kind("true or false", lambda value: type(value) is bool, "booleans", choices=("true", "false")),
    int: Kind("a whole number", is_whole, "whole numbers", "10"),
    float: Kind("a finite number", is_finite, "finite numbers", "0.5"),
    str: Kind("a text", lambda value: isinstance(value, str), "texts"),
    Path: Kind("a path", lambda value: isinstance(value, str | Path), "paths"),
    None: _NULL,
    type(None): _NULL,
}
_LISTS = (list, tuple, set, frozenset, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable, abc.Set)
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)


def kind_of(hint: Any) -> Kind | None:
    """The kind of a resolved type hint; None if any value is allowed."""
    hint = _bare(hint)
    if isinstance(hint, abc.Hashable) and hint in _SIMPLE:
        return _SIMPLE[hint]
    origin, arguments = get_origin(hint) or hint, get_args(hint)
    if origin in (Union, types.UnionType):
        return _union([kind_of(argument) for argument in arguments])
    if origin in _LISTS:
        return _list_of(origin, arguments)
    if origin in _MAPPINGS or typing.is_typeddict(origin):
        return _mapping_of(arguments)
    if origin is Literal:
        return _choice(arguments)
    return _of_class(origin)


def _of_class(origin: Any) -> Kind | None:
    if isinstance(origin, enum.EnumMeta):
        members: list[enum.Enum] = list(origin)
        return _choice([value for member in members for value in (member.name, member.value)], members)
    return _PART if is_part(origin) else None


def is_part(hint: Any) -> bool:
    """Whether a hint asks for an object built by a configuration group: a data class, or any class with members."""
    return isinstance(hint, type) and (dataclasses.is_dataclass(hint) or is_protocol(hint))


def is_protocol(wanted: Any) -> bool:
    """Whether a class is a protocol."""
    return bool(getattr(wanted, "_is_protocol", False))


def lacks(part: Any, wanted: type) -> str | None:
    """What an object lacks to be of a type: a member of the protocol, or the class; None if nothing.

    Args:
        part: An object built from the configuration.
        wanted: A protocol, or a class.
    """
    if not is_protocol(wanted):
        return None if isinstance(part, wanted) else wanted.__name__
    own = [base for base in wanted.__mro__ if is_protocol(base) and base is not typing.Protocol]
    members = [name for base in own for name in (*inspect.get_annotations(base), *vars(base))]
    needed = (name for name in members if name == "__call__" or not name.startswith("_"))
    return next((name for name in needed if not hasattr(part, name)), None)


def refusal(name: str, value: Any, kind: Kind, default: Any = None) -> SettingError:
    """The error for a value of another kind.

    Args:
        name: Name of the setting as typed: ``optimizer.samples``.
        value: The value given.
        kind: The kind required.
        default: Default of the setting, used as the example if it is of the kind.
    """
    if kind.choices:
        return unknown(name, said(value), kind.choices)
    example = said(default) if default is not None and kind.accepts(default) else kind.example
    if isinstance(value, str) and kind.accepts([value]):
        example = f"[{value}]"
    elif kind.words.startswith("a text") and isinstance(value, bool | int | float):
        return SettingError(f"{name} is {said(value)}; give {kind.words}, e.g. '{name}=\"{said(value)}\"'.")
    return SettingError(
        f"{name} is {_quoted(value)}; give {kind.words}{f', e.g. {name}={example}' if example else ''}."
    )


def said(value: Any) -> str:
    """A value as typed on the command line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        text = f"[{', '.join(map(said, value))}]"
    elif isinstance(value, abc.Mapping):
        text = f"{{{', '.join(f'{key}: {said(item)}' for key, item in value.items())}}}"
    else:
        text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _quoted(value: Any) -> str:
    return repr(value) if isinstance(value, str) and len(value) <= LONGEST_VALUE else said(value)


def _bare(hint: Any) -> Any:
    """The hint without its wrappers: ``Annotated``, ``NewType``, a type alias."""
    while True:
        if get_origin(hint) in (typing.Annotated, typing.Final, typing.Required, typing.NotRequired):
            hint = get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            return hint


def _choice(values: Sequence[Any], more: Sequence[Any] = ()) -> Kind:
    """A choice among values; ``more`` are accepted but not listed."""
    typed = {(type(value), value) for value in (*values, *more)}
    named = dict.fromkeys(said(value) for value in values)
    return Kind(
        " or ".join(named),
        lambda value: isinstance(value, abc.Hashable) and (type(value), value) in typed,
        f"({' or '.join(named)})",
        choices=tuple(named),
    )


def _union(kinds: list[Kind | None]) -> Kind | None:
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds):
        return None
    known.sort(key=lambda kind: kind is _NULL)
    *first, last = dict.fromkeys(word for kind in known for word in kind.choices or (kind.words,))
    words = f"{', '.join(first)} or {last}" if first else last
    chosen = all(kind.choices for kind in known)
    return Kind(
        words,
        lambda value: any(kind.accepts(value) for kind in known),
        f"({words})",
        next((kind.example for kind in known if kind.example), ""),
        tuple(choice for kind in known for choice in kind.choices) if chosen else (),
    )


def _list_of(origin: Any, arguments: tuple[Any, ...]) -> Kind:
    if origin is tuple and arguments and arguments[-1] is not ...:
        each = [kind_of(argument) for argument in arguments]
        length = len(each)
        words = f"a list of {length}: {', '.join('anything' if kind is None else kind.words for kind in each)}"
    else:
        item = kind_of(arguments[0]) if arguments else None
        each, length = [item], None
        words = f"a list of {'values' if item is None else item.plural}"

    def accepts(value: Any) -> bool:
        if not isinstance(value, list | tuple) or length not in (None, len(value)):
            return False
        kinds = each if length is not None else each * len(value)
        return all(kind is None or kind.accepts(item) for kind, item in zip(kinds, value, strict=True))

    return Kind(words, accepts, "lists")


def _mapping_of(arguments: tuple[Any, ...]) -> Kind:
    keys, values = (kind_of(argument) for argument in arguments) if len(arguments) == 2 else (None, None)

    def accepts(value: Any) -> bool:
        return isinstance(value, abc.Mapping) and all(
            (keys is None or keys.accepts(key)) and (values is None or values.accepts(item))
            for key, item in value.items()
        )

    return Kind(f"a mapping of names to {'values' if values is None else values.plural}", accepts, "mappings")
