"""The examples of docs/extending.md, as files outside the repository."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "extending.md").read_text()
_OPTIMIZER, _BENCHMARK, MORE, *_ = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
SECTIONS = [_OPTIMIZER, _BENCHMARK]


def write_examples(section: str, folder: Path) -> list[Path]:
    """Write the files that a section shows; returns their paths."""
    written = []
    for name, content in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        written.append(path)
    return written
