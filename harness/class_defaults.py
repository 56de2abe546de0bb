"""What a configuration leaves to the classes that it builds: a setting that it does not say has the class's value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.jsonl import plain
from harness.values import MISSING, TARGET, Difference, Place, differences, same

MayImport = Callable[[Place, str], bool]
"""Whether the class that a configuration names at a place may be imported."""


def effective_differences(
    old: Any, new: Any, may_import: MayImport = lambda place, target: True
) -> Iterator[Difference]:
    """As ``differences``, without settings that one side lacks and that have the class's own value on the other.

    Args:
        old: Builtin JSON values, as is ``new``.
        new: The other side; the classes are those that it names.
        may_import: For configurations of strangers: a class that may not be imported has no known values.
    """
    for place, before, now in differences(old, new):
        said = now if before is MISSING else before
        if MISSING not in (before, now) or not _is_default(new, place, said, may_import):
            yield place, before, now


def _is_default(node: Any, place: Place, value: Any, may_import: MayImport) -> bool:
    """Whether a value is the one that a setting has by its class."""
    from harness.locate import locate
    from harness.signature import settings_of

    *above, name = place or ("",)
    for key in above:
        node = node.get(key) if isinstance(node, Mapping) else None
    target = node.get(TARGET) if isinstance(node, Mapping) else None
    if not isinstance(target, str) or not may_import(tuple(above), target):
        return False
    try:
        setting = settings_of(locate(target, ".".join(place)))[0].get(name)
    except Exception:  # whatever a class that cannot be imported raises: the run will say so
        return False
    return setting is not None and not setting.required and same(plain(setting.default), value)
