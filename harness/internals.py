"""Keys of the configuration that are wiring: they can be set, and nobody is invited to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ROOT = frozenset({"folder"})
"""Keys at the top that ``harness.run`` itself fills in."""

MODEL = frozenset({"name", "recording", "replay", "live"})
"""Of a model: what logs call it, and where its calls are written and read."""


def is_internal(key: str, value: Any = None, *, root: bool = False, model: bool = False) -> bool:
    """Whether a key is wiring: Hydra's own (``_target_``), a part handed over (``chat: ${llm}``), or of the two sets.

    Args:
        key: Its name.
        value: Its value, resolved or not.
        root: Whether it stands at the top of the configuration.
        model: Whether it belongs to a model, which is a node with ``recording``.
    """
    referred = isinstance(value, str) and value.startswith("${") and value.endswith("}")
    handed_over = not root and (referred or (isinstance(value, Mapping) and "_target_" in value))
    return key.startswith("_") or handed_over or (root and key in ROOT) or (model and key in MODEL)


def offered(names: Iterable[str], node: Mapping[str, Any] | None = None, *, root: bool = False) -> list[str]:
    """The names among these that a sentence or a help page offers; ``node`` is the raw configuration they stand in."""
    known = [str(name) for name in names]
    raw = node or {}
    return [name for name in known if not is_internal(name, raw.get(name), root=root, model="recording" in known)]
