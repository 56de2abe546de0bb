"""Compare configurations by value, independent of spelling and of their source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

TARGET = "_target_"


class _Missing:
    def __repr__(self) -> str:
        return "(not set)"


MISSING: Final = _Missing()
"""Placeholder for a missing value."""

Place = tuple[str, ...]
"""Place in a configuration: keys from the top; ``[]`` for any position of a list."""
Difference = tuple[Place, Any, Any]


def differences(old: Any, new: Any, place: Place = ()) -> Iterator[Difference]:
    """The leaves in which two configurations differ: place, old and new value; ``MISSING`` for a missing one.

    If the class (``_target_``) differs, settings are not compared: all of the new ones are
    listed, and none of the old.

    Args:
        old: Builtin JSON values, as is ``new``.
        new: The other side.
        place: Keys from the top to both.
    """
    if old is MISSING and isinstance(new, Mapping) and new and TARGET not in new:
        old = {}
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if not same(old, new):
            yield place, old, new
        return
    if not same(old.get(TARGET, MISSING), new.get(TARGET, MISSING)):
        yield (*place, TARGET), old.get(TARGET, MISSING), new.get(TARGET, MISSING)
        old = {TARGET: new.get(TARGET, MISSING)}
    for key in [*old, *(key for key in new if key not in old)]:
        yield from differences(old.get(key, MISSING), new.get(key, MISSING), (*place, str(key)))


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same: 0 and 0.0 are, true and 1 are not."""
    if one is MISSING or other is MISSING:
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def dotted(place: Place) -> str:
    """A place as text: ``decoding.temperature``; keys that are not plain names are quoted."""
    return ".".join(key if re.fullmatch(r"[\w-]+", key) else json.dumps(key) for key in place)
