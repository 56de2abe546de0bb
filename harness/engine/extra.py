"""Launchers whose library is an extra of this project."""

from __future__ import annotations

from importlib.util import find_spec

from harness.errors import SettingError


def check_installed(launcher: str, library: str) -> None:
    """Make sure that a launcher's library is installed.

    Raises:
        SettingError: It is not.
    """
    if find_spec(library) is None:
        raise SettingError(
            f"hydra/launcher={launcher} needs the package {library}, which is not installed; install it with: "
            "pip install -e '.[launchers]'"
        )
