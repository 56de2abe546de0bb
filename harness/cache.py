"""The user's folders for cached files and for data."""

from __future__ import annotations

import os
from pathlib import Path

USER, NONE = "user", "none"
"""Where evaluations are kept (``benchmark.cache``): in a file of the user's cache folder, or nowhere; else, a path."""


def cache_folder() -> Path:
    """The user's cache folder for Hyperbole: ``$XDG_CACHE_HOME/hyperbole``, else ``~/.cache/hyperbole``."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "hyperbole"


def data_folder() -> Path:
    """The user's data folder for Hyperbole: ``$XDG_DATA_HOME/hyperbole``, else ``~/.local/share/hyperbole``."""
    root = os.environ.get("XDG_DATA_HOME")
    return (Path(root) if root else Path.home() / ".local" / "share") / "hyperbole"
