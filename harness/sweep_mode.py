"""Whether a command is one run or a sweep, known from its flags: Hydra composes a whole configuration to find out."""

from __future__ import annotations

from collections.abc import Sequence

ELSEWHERE = ("hydra.mode", "hydra.searchpath", "hydra=")
"""Overrides with which a file may choose the mode, or which choose it themselves."""
FLAGS = ("--config-name", "-cn", "--config-path", "-cp", "--config-dir", "-cd")


def trust_the_flags(arguments: Sequence[str]) -> None:
    """Have Hydra take the mode from its flags if no other file than this project's can set it; theirs do not.

    It saves a twelfth of the time to the first trial. ``get_mode`` is Hydra's own: where it is gone, nothing changes.
    """
    if any(text.lstrip("+").startswith((*ELSEWHERE, *FLAGS)) for text in arguments):
        return
    from hydra._internal.hydra import Hydra

    if hasattr(Hydra, "get_mode"):
        Hydra.get_mode = lambda *_, **__: None  # type: ignore[method-assign]
