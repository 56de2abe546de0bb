"""Text that somebody else wrote, made harmless for each place where it is shown: names, errors, models' words."""

from __future__ import annotations

import json
import re
from typing import Any

from harness.visible import visible

FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What a spreadsheet takes for the beginning of a formula, as East Asian keyboards write it too."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# At the start of a cell, or behind what some spreadsheets split cells at, with space or an invisible mark before it.
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
    "*": "{*}",  # a row that begins with * or [ would belong to the \\ before it
    "[": "{[}",
    "]": "{]}",
    "∞": r"$\infty$",
    "–": "--",
    "\u00a0": "~",
    "⟨": r"$\langle$",
    "⟩": r"$\rangle$",
}
# Two hyphens or apostrophes in a row would become a dash or a quotation mark.
_LATEX_SPECIAL = re.compile(rf"([-'])(?=\1)|[{re.escape(''.join(_LATEX))}]")
_MARKDOWN = re.compile(r"[\\|<*`~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\](?=[(\[:])|&(?=#?\w+;)")


def one_line(text: str) -> str:
    """Visible text with line ends and tabs written out too, for a single line of a table or on the terminal."""
    return visible(text).replace("\n", "⟨U+000A⟩").replace("\t", "⟨U+0009⟩")


def spreadsheet(value: object) -> object:
    """A value for a CSV cell that no spreadsheet executes: an apostrophe before what would be a formula.

    Numbers stay numbers, negative ones too, be they numbers here or text.
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return _FORMULA.sub(r"\1\2'", value)


def spreadsheet_json(value: Any) -> str:
    """JSON for a CSV cell, lossless and ASCII: a formula that would begin behind a semicolon has its sign escaped."""
    return _FORMULA_IN_JSON.sub(lambda found: f"{found[1]}\\u{ord(found[2]):04x}", json.dumps(value))


def escape_markdown(text: str) -> str:
    """Text that GitHub-flavoured Markdown prints as it is, in a cell of a table too."""
    return _MARKDOWN.sub(r"\\\g<0>", one_line(text))


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it is."""
    return _LATEX_SPECIAL.sub(lambda found: _LATEX.get(found[0], f"{found[0]}{{}}"), one_line(text))
