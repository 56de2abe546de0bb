"""Escape untrusted text (names, errors, model output) for each output format."""

from __future__ import annotations

import json
import re
from typing import Any

from harness.visible import visible

FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
"""Characters that begin a formula in spreadsheets, including their full-width forms."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# At the start of a cell, or after a character at which some spreadsheets split cells; spaces may precede it.
_FORMULA = re.compile(rf"(^|[;\t\r\n])([\s\ufeff\u200b\u2060]*)(?=[{re.escape(FORMULA)}])|^(?=[\t\r\n])")
_FORMULA_IN_JSON = re.compile(rf"(;\s*)([{re.escape(FORMULA)}])")

_LATEX = {
    **dict(zip("&%$#_{}", (rf"\{char}" for char in "&%$#_{}"), strict=True)),
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "*": "{*}",  # at the start of a row, * or [ would belong to the preceding \\
    "[": "{[}",
    "]": "{]}",
    "∞": r"$\infty$",
    "–": "--",
    "\u00a0": "~",
    "⟨": r"$\langle$",
    "⟩": r"$\rangle$",
}
# Two consecutive hyphens or apostrophes would become a dash or a quotation mark.
_LATEX_SPECIAL = re.compile(rf"([-'])(?=\1)|[{re.escape(''.join(_LATEX))}]")
_MARKDOWN = re.compile(r"[\\|<*`~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\](?=[(\[:])|&(?=#?\w+;)")


def one_line(text: str) -> str:
    """Visible text with escaped line ends and tabs, for one line of a table or terminal."""
    return visible(text).replace("\n", "⟨U+000A⟩").replace("\t", "⟨U+0009⟩")


def spreadsheet(value: object) -> object:
    """A value for a CSV cell that no spreadsheet executes: formulas are prefixed with an apostrophe.

    Numbers stay numbers, also negative ones and numbers in text.
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return _FORMULA.sub(r"\1\2'", value)


def spreadsheet_json(value: Any) -> str:
    """JSON for a CSV cell, lossless and ASCII: the first character of a formula after a semicolon is escaped."""
    return _FORMULA_IN_JSON.sub(lambda found: f"{found[1]}\\u{ord(found[2]):04x}", json.dumps(value))


def escape_markdown(text: str) -> str:
    """Text that GitHub-flavoured Markdown prints literally, also in a table cell."""
    return _MARKDOWN.sub(r"\\\g<0>", one_line(text))


def escape_latex(text: str) -> str:
    """Text that LaTeX prints literally."""
    return _LATEX_SPECIAL.sub(lambda found: _LATEX.get(found[0], f"{found[0]}{{}}"), one_line(text))
