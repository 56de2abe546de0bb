"""Methods that differ in one choice alone: which of them are to be compared with which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.method import NAMED


@dataclass(frozen=True, slots=True)
class Variant:
    """A method and the one it departs from in a single group's choice.

    Attributes:
        method: As the folders name it.
        base: The same without the choice, under its name; it may not have been run.
        choice: What was chosen in the group; None where nobody chose, which is the default.
    """

    method: str
    base: str
    choice: str | None


def variant(method: str, group: str) -> Variant:
    """One method's choice in a group, read from its name."""
    first, *parts = method.split("+")
    chosen = [part for part in parts if part.startswith(f"{group}=")]
    base = "+".join([first, *(part for part in parts if part not in chosen)])
    return Variant(method, base, chosen[0].removeprefix(f"{group}=") if chosen else None)


def families(methods: Iterable[str], group: str) -> dict[str, tuple[Variant, ...]]:
    """Methods that differ in one group's choice alone: the name without the choice -> at least two variants.

    The one with the default choice comes first, if it was run; the others follow in the order of ``methods``.

    Args:
        methods: As the folders name them.
        group: One of ``harness.method.NAMED``.
    """
    assert group in NAMED
    found: dict[str, list[Variant]] = {}
    for method in methods:
        read = variant(method, group)
        found.setdefault(read.base, []).append(read)
    return {
        base: tuple(sorted(variants, key=lambda each: each.choice is not None))
        for base, variants in found.items()
        if len(variants) > 1
    }
