"""Where files of the user are kept: what can be built again, and what cannot."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder for Hyperbole: ``$XDG_CACHE_HOME/hyperbole``, else ``~/.cache/hyperbole``."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "hyperbole"


def data_folder() -> Path:
    """Where the user's own data for Hyperbole are: ``$XDG_DATA_HOME/hyperbole``, else ``~/.local/share/hyperbole``."""
    root = os.environ.get("XDG_DATA_HOME")
    return (Path(root) if root else Path.home() / ".local" / "share") / "hyperbole"
