"""Internal keys of the configuration, which help and suggestions leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ROOT = frozenset({"folder"})
"""Root keys that ``harness.run`` fills in."""

MODEL = frozenset({"name", "recording", "replay", "live"})
"""Keys of a model: its name in logs, and where its calls are written and read."""


def is_internal(key: str, value: Any = None, *, root: bool = False, model: bool = False) -> bool:
    """Whether a key is internal: Hydra's own (``_target_``), a reference to a part (``chat: ${llm}``), or listed above.

    Args:
        key: Its name.
        value: Its value, resolved or not.
        root: Whether it is a root key.
        model: Whether it belongs to a model, i.e. a node with ``recording``.
    """
    referred = isinstance(value, str) and value.startswith("${") and value.endswith("}")
    handed_over = not root and (referred or (isinstance(value, Mapping) and "_target_" in value))
    return key.startswith("_") or handed_over or (root and key in ROOT) or (model and key in MODEL)


def offered(names: Iterable[str], node: Mapping[str, Any] | None = None, *, root: bool = False) -> list[str]:
    """The names to suggest or list in help; ``node`` is the raw configuration that contains them."""
    known = [str(name) for name in names]
    raw = node or {}
    return [name for name in known if not is_internal(name, raw.get(name), root=root, model="recording" in known)]
