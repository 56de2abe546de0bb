"""The run's folder in a configuration: its place is not known before the run is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FOLDER = "\0folder\0"
"""Stands for the run's folder in a resolved configuration."""


def placed(value: Any, folder: str) -> Any:
    """The resolved configuration with a folder in place of ``FOLDER``."""
    if isinstance(value, str):
        return value.replace(FOLDER, folder) if FOLDER in value else value
    if isinstance(value, Mapping):
        return {key: placed(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [placed(item, folder) for item in value]
    return value
