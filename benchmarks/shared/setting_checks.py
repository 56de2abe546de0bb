"""Checks of the settings that every benchmark family takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.errors import SettingError, unknown


def one_of(kind: str, value: str, options: Iterable[str]) -> str:
    """The value, if it is one of the options.

    Raises:
        SettingError: It is none of them; the message names the nearest one.
    """
    known = tuple(options)
    if value not in known:
        raise unknown(kind, value, known)
    return value


def checked_seed(value: int | None, seeds: int) -> int | None:
    """The value, if it is None (the mean over the table's seeds) or the number of a seed's column.

    Raises:
        SettingError: It is neither.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < seeds):
        return value
    hint = f"did you mean {min(max(value, 0), seeds - 1)}? " if type(value) is int else ""
    raise SettingError(f"table_seed is {value!r}; {hint}Give 0 to {seeds - 1} for one seed, or null for their mean.")


def refuse_fidelity(fidelity: Mapping[str, float] | None, name: str) -> None:
    """Nothing, unless a fidelity is given to a benchmark that has only one.

    Raises:
        ValueError: A fidelity is given.
    """
    if fidelity:
        raise ValueError(f"{name} knows its highest fidelity only, but {dict(fidelity)} was asked for; leave it out.")
