"""Hints on a task, as a person might give them: the text files in ``benchmarks/shared/hints/``.

``<benchmark>.<hint>.txt`` is for all tasks of a family; ``<benchmark>.<task>.<hint>.txt`` is for one task and has
precedence. A hint mentions values, never scores or the optimum. ``tests/benchmarks/test_hints.py`` compares the claims
of all hints, correct and misleading, with the tables.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "hints"


def hints(benchmark: str, task: str) -> dict[str, str]:
    """A task's hints: name (``correct``, ``misleading``) -> text on one line."""
    found: dict[str, str] = {}
    for prefix in (benchmark, f"{benchmark}.{task}"):
        for path in sorted(FOLDER.glob(f"{prefix}.*.txt")):
            name = path.name.removeprefix(f"{prefix}.").removesuffix(".txt")
            if "." not in name:  # else it is for another task
                found[name] = " ".join(path.read_text(encoding="utf-8").split())
    return found
