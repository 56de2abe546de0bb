"""Any value as part of a run's path: nothing leaves ``runs/``, nothing lies deeper, no two values share a folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from harness.errors import SettingError
from harness.scalars import whole

LONGEST = 255
"""Characters of one component of a path; these are ASCII, so bytes as well."""
LONGEST_PART = 80
_MARK = "~"  # in no plain name: what carries it was changed, and its hash tells it from what it might be taken for
_HASH_DIGITS = 8
_EXPERIMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def part(text: str, also: str = "") -> str:
    """One value as part of a folder's name.

    Letters, digits, ``_`` and ``-`` stay. Whatever else becomes ``-``, and a text that was changed or cut ends in
    ``~`` and a hash of the whole of it.

    Args:
        text: Any text.
        also: Further characters that stay, where the name can still be taken apart with them.
    """
    kept = re.sub(rf"[^A-Za-z0-9_{re.escape(also)}-]+", "-", text)
    if not text or text[0] == "." or text[-1] == ".":  # hidden, or dropped by some file systems
        return _marked(kept.strip("."), text, LONGEST_PART)
    return kept if kept == text and len(text) <= LONGEST_PART else _marked(kept, text, LONGEST_PART)


def joined(parts: Sequence[str]) -> str:
    """Parts of a name joined by ``+``, as one component of a path: readable, and never the same for other parts.

    Each is cut at ``LONGEST_PART`` characters, and what is neither a letter, a digit, ``_``, ``.``, ``=`` nor ``-``
    becomes ``-``. A name in which anything was changed or cut ends in ``~`` and a hash of all parts as they were.
    """
    shown = "+".join(re.sub(r"[^A-Za-z0-9_.=-]+", "-", text)[:LONGEST_PART].strip(".-") for text in parts)
    exact = shown == "+".join(parts) and len(shown) <= LONGEST and all(parts)
    return shown if exact else _marked(shown, json.dumps(list(parts)), LONGEST)


def written(value: Any) -> str:
    """A setting's value as a name says it: two values are written alike only where they are the same.

    Args:
        value: As JSON has it. ``1`` and ``1.0`` are the same number; a text that reads like another kind of value is
            in quotes.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return str(whole(value))
    if isinstance(value, str):
        return json.dumps(value) if _reads_otherwise(value) else value
    return json.dumps(_spelled(value), sort_keys=True, separators=(",", ":"))


def _spelled(value: Any) -> Any:
    """A list or mapping with each number in one spelling."""
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
    """Joined parts as one component of a path: as they are, but cut where no file system would take them."""
    return text if len(text) <= LONGEST else _marked(text, text, LONGEST)


def as_written(name: object) -> object:
    """An experiment's name from a configuration: digits alone (name=2026) are a number to YAML and a name to people."""
    return str(name) if type(name) is int else name


def is_experiment(name: object) -> bool:
    """Whether an experiment can be called that."""
    return isinstance(name, str) and len(name) <= LONGEST and _EXPERIMENT.fullmatch(name) is not None


def check_experiment(name: object) -> str:
    """The experiment's name, which is a folder's name as it stands.

    Raises:
        SettingError: It cannot be one.
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
