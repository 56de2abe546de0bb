"""Values as parts of a run's path: always inside ``runs/``, at a fixed depth, and one folder per value."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from harness.errors import SettingError
from harness.scalars import whole

LONGEST = 255
"""Longest component of a path, in characters, which are ASCII and so bytes as well."""
LONGEST_PART = 80
_MARK = "~"  # not in plain names: marks a changed name, whose hash tells it from others
_HASH_DIGITS = 8
_EXPERIMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def part(text: str, also: str = "") -> str:
    """One value as part of a folder's name.

    Letters, digits, ``_`` and ``-`` are kept. Other characters become ``-``, and a changed or shortened text ends in
    ``~`` and a hash of the original.

    Args:
        text: Any text.
        also: Further characters to keep, if the name can still be split at its separators.
    """
    kept = re.sub(rf"[^A-Za-z0-9_{re.escape(also)}-]+", "-", text)
    if not text or text[0] == "." or text[-1] == ".":  # hidden, or dropped by some file systems
        return _marked(kept.strip("."), text, LONGEST_PART)
    return kept if kept == text and len(text) <= LONGEST_PART else _marked(kept, text, LONGEST_PART)


def joined(parts: Sequence[str]) -> str:
    """Parts of a name joined by ``+``, as one component of a path: readable and unique.

    Each part is cut at ``LONGEST_PART`` characters, and characters other than letters, digits, ``_``, ``.``, ``=`` and
    ``-`` become ``-``. A changed or shortened name ends in ``~`` and a hash of all original parts.
    """
    shown = "+".join(re.sub(r"[^A-Za-z0-9_.=-]+", "-", text)[:LONGEST_PART].strip(".-") for text in parts)
    exact = shown == "+".join(parts) and len(shown) <= LONGEST and all(parts)
    return shown if exact else _marked(shown, json.dumps(list(parts)), LONGEST)


def written(value: Any) -> str:
    """A setting's value as written in a name; only equal values are written alike.

    Args:
        value: A JSON value. ``1`` and ``1.0`` are the same number; a text that looks like another kind of value is
            quoted.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return str(whole(value))
    if isinstance(value, str):
        return json.dumps(value) if _reads_otherwise(value) else value
    return json.dumps(_spelled(value), sort_keys=True, separators=(",", ":"))


def _spelled(value: Any) -> Any:
    """A list or mapping with equal numbers spelled alike."""
    if isinstance(value, dict):
        return {str(key): _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    return whole(value)


def _reads_otherwise(text: str) -> bool:
    if text in ("", "null", "true", "false") or text[0] in '[{"':
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def component(text: str) -> str:
    """Joined parts as one component of a path, shortened if too long for file systems."""
    return text if len(text) <= LONGEST else _marked(text, text, LONGEST)


def as_written(name: object) -> object:
    """An experiment's name from a configuration; digits only (name=2026) are a number in YAML but a valid name."""
    return str(name) if type(name) is int else name


def is_experiment(name: object) -> bool:
    """Whether a name is valid for an experiment."""
    return isinstance(name, str) and len(name) <= LONGEST and _EXPERIMENT.fullmatch(name) is not None


def check_experiment(name: object) -> str:
    """The experiment's name, which is also its folder's name.

    Raises:
        SettingError: The name is invalid.
    """
    if not is_experiment(name):
        shown = f"{str(name)[:LONGEST_PART]}..." if len(str(name)) > LONGEST else name
        raise SettingError(
            f"name is {shown!r}; give the experiment a name of letters, digits, '_', '-' and '.', {LONGEST} at most."
        )
    return str(name)


def _marked(kept: str, text: str, longest: int) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    return f"{kept[: longest - _HASH_DIGITS - 1]}{_MARK}{digest}"
