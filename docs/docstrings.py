"""Docstrings of this project (Google style, double backquotes) as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

SECTIONS = ("Args", "Attributes", "Raises", "Returns", "Yields")
"""Sections that speak of Python arguments; of what the YAML file offers, the table of settings says the same."""
_SECTION = re.compile(rf"^({'|'.join(SECTIONS)}):$")


def prose(docstring: str) -> str:
    """What a docstring says outside its sections; a paragraph of ``Term: text`` with hanging lines becomes a list."""
    lines: list[str] = []
    for line in inspect.cleandoc(docstring).splitlines():
        if _SECTION.match(line):
            break
        lines.append(line)
    text = "\n".join(lines).strip().replace("``", "`")
    return "\n\n".join(_paragraph(part) for part in re.split(r"\n\s*\n", text) if part.strip())


def _paragraph(text: str) -> str:
    if not re.search(r"^ +", text, re.MULTILINE) or re.match(r"[*-] ", text):
        return text
    return "\n".join(f"- {item}" for item in _hanging(text))


def _hanging(text: str) -> Iterator[str]:
    """Lines with the indented ones that follow them, each on one line."""
    item: list[str] = []
    for line in text.splitlines():
        if item and not line.startswith(" "):
            yield " ".join(item)
            item = []
        item.append(line.strip())
    yield " ".join(item)
