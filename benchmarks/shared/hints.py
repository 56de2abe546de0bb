"""Advice a person might give on a task: the text files in ``benchmarks/shared/hints/``.

``<benchmark>.<hint>.txt`` holds for every task of a family; ``<benchmark>.<task>.<hint>.txt`` is for one task and wins.
A hint speaks of values, never of scores or the optimum. What each one claims, correct or misleading, is checked against
the tables in ``tests/benchmarks/test_hints.py``.
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
            if "." not in name:  # else it is another task's
                found[name] = " ".join(path.read_text(encoding="utf-8").split())
    return found
