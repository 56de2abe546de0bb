"""Checks of settings that all benchmark families have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.errors import SettingError, unknown


def one_of(kind: str, value: str, options: Iterable[str]) -> str:
    """Check that the value is one of the options, and return it.

    Raises:
        SettingError: It is not; the message names the nearest option.
    """
    known = tuple(options)
    if value not in known:
        raise unknown(kind, value, known)
    return value


def checked_seed(value: int | None, seeds: int) -> int | None:
    """Check that the value is None (the mean over the table's seeds) or the number of a seed's column.

    Raises:
        SettingError: It is not.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < seeds):
        return value
    hint = f"did you mean {min(max(value, 0), seeds - 1)}? " if type(value) is int else ""
    raise SettingError(f"table_seed is {value!r}; {hint}Give 0 to {seeds - 1} for one seed, or null for their mean.")


def refuse_fidelity(fidelity: Mapping[str, float] | None, name: str) -> None:
    """Refuse a fidelity of a benchmark without fidelities.

    Raises:
        ValueError: A fidelity is given.
    """
    if fidelity:
        raise ValueError(f"{name} has no fidelities, but {dict(fidelity)} was requested; leave it out.")
