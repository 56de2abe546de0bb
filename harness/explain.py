"""Print user mistakes as one sentence with exit code 2. Other errors keep their traceback: they are bugs."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

from harness.arguments import unreadable
from harness.errors import HyperboleError, SettingError, causes, unknown
from harness.files import disk_error, is_the_machines, usable
from harness.locate import refuse_hidden_packages
from harness.override_keys import about_key
from harness.searchpath import ROOT

INTERRUPTED = 130


@contextlib.contextmanager
def explained(overrides: Sequence[str]) -> Iterator[None]:
    """Print errors that a user can fix as one sentence on standard error.

    Args:
        overrides: The command line, used to suggest the nearest valid name.

    Raises:
        SystemExit: Code 2 after a user mistake, 130 after an interruption.
    """
    try:
        refuse_hidden_packages()
        yield
        with usable("Standard output"):
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; the same command continues where this one stopped.\n")
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        mistake = _mistake(error, overrides)
        if mistake is None:
            raise
        sys.stderr.write(f"{mistake}\n")
        silence()
        raise SystemExit(mistake.exit_code) from None


def silence() -> None:
    """Discard output that standard output could not take; Python would fail on it again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mistake(error: BaseException, overrides: Sequence[str]) -> HyperboleError | None:
    """The user mistake behind an error, or None if it is a bug."""
    if (known := _known(error)) is not None:
        return known
    from hydra.errors import HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import OmegaConfBaseException

    if (unread := _unreadable_file(error) or _circle(error)) is not None:
        return unread
    found: HyperboleError | None = None
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        found = _unknown_choice(str(error.missing_cfg_file), error.options, str(error))
    elif isinstance(error, OverrideParseException):
        found = unreadable(str(error.override))
    elif isinstance(error, ValueError) and str(error).startswith("Config group override must be"):
        found = _no_choice(overrides)
    elif isinstance(error, ValueError) and str(error).startswith("Invalid defaults list"):
        found = SettingError(_first_sentence(str(error)))
    elif isinstance(error, HydraException | OmegaConfBaseException):
        said = _said(error)
        found = _misfit(said) or about_key(error, overrides) or SettingError(_first_sentence(said))
    return found


def _unknown_choice(file: str, options: Sequence[str] | None, message: str) -> SettingError:
    """The error for an unknown choice such as ``optimizer=mine``: valid choices, and how to add one from outside."""
    from harness.build import choices_of

    group, _, name = file.rpartition("/")
    said = str(unknown(group or "configuration", name, choices_of(group) if options is None else options)).rstrip(".")
    if (heir := re.match(r"In '([^']+)'", message)) is not None and heir[1] != ROOT:
        said = f"The defaults of {heir[1]}.yaml: {said}"
    if not group or group.startswith("hydra"):
        return SettingError(f"{said}.")
    return SettingError(f"{said}; your own is found with hydra.searchpath=[DIR] if DIR/{file}.yaml exists.")


def _unreadable_file(error: BaseException) -> SettingError | None:
    """The error for a configuration file that is not YAML or not text: the place and the problem."""
    from yaml import MarkedYAMLError, YAMLError

    if isinstance(error, MarkedYAMLError) and (mark := error.problem_mark or error.context_mark) is not None:
        what = " ".join(filter(None, (error.context, error.problem)))
        return SettingError(f"{mark.name}, line {mark.line + 1}, column {mark.column + 1} is not YAML: {what}.")
    file = _being_read(error)
    if isinstance(error, YAMLError | UnicodeDecodeError):
        where = "A file of the configuration" if file is None else file
        return SettingError(f"{where} is not YAML in UTF-8: {_first_sentence(str(error))}")
    if file is None:
        return None
    why = (
        "it is nested too deep, or contains itself."
        if isinstance(error, RecursionError)
        else _first_sentence(_said(error))
    )
    return SettingError(f"{file} cannot be read: {why}")


def _circle(error: BaseException) -> SettingError | None:
    """The error for configuration files that inherit from each other, which Hydra follows without end."""
    if not isinstance(error, RecursionError):
        return None
    trees: list[Any] = [
        frame.f_locals.get("root")
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__") == "hydra._internal.defaults_list"
    ]
    paths = [tree.node.get_config_path() for tree in trees if hasattr(tree, "node")]
    if not paths:
        return None
    files = sorted({f"{path}.yaml" for path in paths[paths.index(paths[-1]) :]})  # where the stack ended is chance
    return SettingError(f"The defaults of {' and '.join(files)} lead back to the same file; remove one of the entries.")


def _said(error: BaseException) -> str:
    said = str(error).strip() or str(error.__cause__ or type(error).__name__)  # a parser's error has no text
    return re.sub(r": \w+ raised while composing config:\s*", ": ", said)


def _being_read(error: BaseException) -> str | None:
    """The configuration file that Hydra was reading; not every error names it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        file = frame.f_locals.get("full_path") or frame.f_locals.get("res")  # of a folder, of a package
        if file and frame.f_globals.get("__name__", "").startswith("hydra._internal.core_plugins."):
            return str(file)
    return None


def _known(error: BaseException) -> HyperboleError | None:
    """The HyperboleError among an error and its causes, or a disk error."""
    for cause in causes(error):
        if isinstance(cause, HyperboleError):
            return cause
        if isinstance(cause, OSError) and is_the_machines(cause):
            return disk_error(cause, None if cause.filename else "Standard output or a file")
    return None


def _misfit(message: str) -> SettingError | None:
    """The error for a scalar given where a mapping is needed, as in ``llm.environment=[A]``."""
    if (wrong := re.match(r"Error merging override \+*([^=]+)=(.*)", message)) is None:
        return None
    key, value = wrong.groups()
    return SettingError(f"{key} cannot be {value}: it is made of parts; set one of them, as in {key}.NAME=...")


def _no_choice(overrides: Sequence[str]) -> SettingError | None:
    """The error for ``tracker=null`` and ``tracker=5``, with the valid choices."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    from harness.build import choices_of
    from harness.kinds import said

    for override in OverridesParser.create().parse_overrides(list(overrides)):
        group = override.key_or_group
        if choices_of(group) and not isinstance(value := override.value(), str | list):
            return unknown(group, said(value), choices_of(group))
    return None


def _first_sentence(message: str) -> str:
    return " ".join(message.strip().splitlines()[0].split()).rstrip(".") + "."
