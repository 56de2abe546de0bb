"""Where what can be built again is kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder for Hyperbole: ``$XDG_CACHE_HOME/hyperbole``, else ``~/.cache/hyperbole``."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "hyperbole"
