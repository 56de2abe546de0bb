"""Make untrusted text safe to print."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def visible(text: str) -> str:
    """The text with characters that are invisible, reorder text or cannot be encoded written as <U+202E>.

    Line ends and tabs are kept. The result can be encoded as UTF-8; templates escape it for HTML.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(char) for char in text)


def is_name(value: object) -> bool:
    """Whether the value is a name: non-empty text of visible characters on one line."""
    return isinstance(value, str) and value.strip() != "" and visible(value) == value and not {"\n", "\t"} & set(value)


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Names as a list in words, shortened above ``most``: ``a, b and 3 more``."""
    shown = list(names[:most])
    if len(names) > len(shown):
        shown[-1] += f" and {len(names) - len(shown)} more"
    return (" and " if any(", " in name for name in shown) else ", ").join(shown)


def _visible_character(char: str) -> str:
    if char in "\n\t":
        return char
    hidden = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return f"⟨U+{ord(char):04X}⟩" if hidden else char
