"""Defaults of classes: a setting that a configuration does not contain has the value of its class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.jsonl import plain
from harness.values import MISSING, TARGET, Difference, Place, differences, same

MayImport = Callable[[Place, str], bool]
"""Whether the class at a place of a configuration may be imported."""


def effective_differences(
    old: Any, new: Any, may_import: MayImport = lambda place, target: True
) -> Iterator[Difference]:
    """Like ``differences``, without settings that one side lacks and that have the class's default on the other.

    Args:
        old: A configuration of builtin JSON values.
        new: Another one; its classes are used.
        may_import: For untrusted configurations: a class that may not be imported has no known defaults.
    """
    for place, before, now in differences(old, new):
        said = now if before is MISSING else before
        if MISSING not in (before, now) or not same(class_default(new, place, may_import), said):
            yield place, before, now


def class_default(node: Any, place: Place, may_import: MayImport = lambda place, target: True) -> Any:
    """The value that a setting has if a configuration does not contain it; ``MISSING`` if its class has none.

    Args:
        node: A configuration of builtin JSON values.
        place: Place of the setting.
        may_import: As in ``effective_differences``.
    """
    from harness.locate import locate
    from harness.signature import settings_of

    *above, name = place or ("",)
    for key in above:
        node = node.get(key) if isinstance(node, Mapping) else None
    target = node.get(TARGET) if isinstance(node, Mapping) else None
    if not isinstance(target, str) or not may_import(tuple(above), target):
        return MISSING
    try:
        setting = settings_of(locate(target, ".".join(place)))[0].get(name)
    except Exception:  # any error of an import will be reported by the run
        return MISSING
    return MISSING if setting is None or setting.required else plain(setting.default)
