"""Check the command line before Hydra reads it: flags may be anywhere, and mistakes are reported in one sentence."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import NoReturn

from harness.errors import SettingError

EXAMPLE = "e.g. seed=3"
_HYDRAS_OWN = {"_args_", "_convert_", "_partial_", "_recursive_"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_SWEEPING = "python -m harness.run -m"
DRY = "dry"
"""The setting that prints what a command would take instead of running it."""


class Parser(argparse.ArgumentParser):
    """A command's options; mistakes are reported in one sentence with exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit, without argparse's usage."""
        self.exit(2, f"Cannot read the options: {message}; see {self.prog} --help.\n")

    @classmethod
    def of_module(cls, module: str, docstring: str | None) -> Parser:
        """The parser of ``python -m <module>``, whose help is its docstring: first paragraph, options, the rest."""
        about, _, more = (docstring or "").partition("\n\n")
        form = argparse.RawDescriptionHelpFormatter
        return cls(prog=f"python -m {module}", description=about, epilog=more, formatter_class=form)


class _Flags(argparse.ArgumentParser):
    """Hydra's flags, with mistakes raised instead of printed."""

    def error(self, message: str) -> NoReturn:
        raise SettingError(f"Cannot read the options: {message}; see --help.")


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether the arguments ask for help."""
    return not {"-h", "--help"}.isdisjoint(arguments)


def in_order(arguments: Sequence[str]) -> list[str]:
    """The command line of ``harness.run`` in Hydra's order: all flags, ``--``, all overrides.

    Hydra accepts flags only before or after all overrides.

    Raises:
        SettingError: An unknown flag, an override that cannot be read, or several values without ``-m``.
    """
    from hydra._internal.utils import get_args_parser

    hydra_flags = get_args_parser()
    parser = _Flags(prog="python -m harness.run", parents=[hydra_flags], add_help=False, allow_abbrev=False)
    known, unknown = parser.parse_known_intermixed_args(list(arguments))
    overrides = [str(text) for text in known.overrides]
    if unknown:
        raise _unknown_flag(unknown[0], [flag for action in parser._actions for flag in action.option_strings])
    shows = known.cfg is not None or known.info is not None or known.hydra_help or known.shell_completion
    sweeps = known.multirun or any(text.startswith("hydra.mode=") for text in overrides)
    check_overrides(overrides, None if sweeps or shows else f"add -m to run each of them ({_SWEEPING} ...)")
    flags, left = [], list(overrides)
    for text in arguments:
        if left and text == left[0]:
            left.pop(0)
        elif text != "--":
            flags.append(text)
    return [*flags, "--", *overrides] if overrides else flags


def without_dry(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments without ``dry=...``, and whether it was ``true``.

    Raises:
        SettingError: It is neither true nor false.
    """
    given = [text for text in arguments if text.lstrip("+").partition("=")[0] == DRY]
    for text in given:
        if (value := text.partition("=")[2].strip().casefold()) not in ("true", "false"):
            raise SettingError(f"{DRY} is {value!r}; give true or false.")
    return [text for text in arguments if text not in given], bool(given) and given[-1].casefold().endswith("true")


def check_overrides(overrides: Sequence[str], several: str | None) -> None:
    """Refuse invalid overrides, with messages in terms of the command line instead of Hydra's grammar.

    Args:
        overrides: ``key=value`` each, with Hydra's ``+``, ``++`` and ``~``.
        several: Advice for an override with several values, as in a sweep; None if they are allowed.

    Raises:
        SettingError: An override cannot be read, is not a setting, or has several values.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    for text in overrides:
        if text.startswith("-"):
            raise _unknown_flag(text, [])
        try:
            override = parser.parse_override(text)
        except HydraException:
            raise unreadable(text) from None
        if not override.key_or_group:
            raise unreadable(text)
        if own := sorted(_HYDRAS_OWN & set(override.key_or_group.split("."))):
            raise SettingError(
                f"{text!r} sets {own[0]}, which tells Hydra how to build a class and is not a setting; leave it out."
            )
        if several is not None and override.is_sweep_override():
            raise SettingError(f"{text!r} has several values: {several}; a list is written [a,b].")


def unreadable(text: str) -> SettingError:
    """The error for an invalid override, with a valid example."""
    key, equals, value = text.lstrip("+~").partition("=")
    if not text.strip():
        return SettingError(f"Cannot read '': an argument is empty; write key=value, {EXAMPLE}.")
    if not key.strip():
        return SettingError(f"Cannot read {text!r}: it has no setting; write key=value, {EXAMPLE}.")
    if fault := _unbalanced(text):
        return SettingError(f"Cannot read {text!r}: {fault}; write key=value, {_example(value)}.")
    if not equals:
        return SettingError(f"Cannot read {text!r}: it has no value; write key=value, {EXAMPLE}.")
    return SettingError(
        f"Cannot read {text!r}: the value has special characters; put quotes around it, inside those of the "
        "shell, e.g. \"key='a (b)'\"."
    )


def _unbalanced(text: str) -> str | None:
    """The quote or bracket that is not closed or not opened."""
    waiting: list[str] = []
    quote, escaped = "", False
    for character in text:
        if escaped or character == "\\":
            escaped = not escaped
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _CLOSING:
            waiting.append(character)
        elif character in _CLOSING.values():
            if not waiting or _CLOSING[waiting[-1]] != character:
                return f"its {character} is not opened"
            waiting.pop()
    left = quote or (waiting[-1] if waiting else "")
    return f"its {left} is not closed" if left else None


def _example(value: str) -> str:
    """A valid value that begins like the wrong one."""
    examples = {"{": "'params={depth: 2, width: 64}'", "[": "'benchmark.objectives=[accuracy,f1]'"}
    return f"e.g. {examples.get(value.strip()[:1], 'name=trial')}"


def _unknown_flag(text: str, flags: Sequence[str]) -> SettingError:
    """The error for an option that does not exist."""
    name, equals, value = text.partition("=")
    near = difflib.get_close_matches(name, [flag for flag in flags if flag.startswith("--")], n=1, cutoff=0.7)
    if near:
        return SettingError(f"Unknown option {text!r}; did you mean {near[0]!r}? See --help.")
    setting = f"{name.lstrip('-')}={value}" if equals and name.strip("-") else EXAMPLE.removeprefix("e.g. ")
    return SettingError(f"Unknown option {text!r}; settings are written without dashes, e.g. {setting}; see --help.")
