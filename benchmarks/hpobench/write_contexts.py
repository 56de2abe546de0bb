"""Write the descriptions of HPOBench's data sets for prompts, so that a run does not need the data.

``python -m benchmarks.hpobench.write_contexts --cache FOLDER`` reads the tasks from the OpenML client's cache in that
folder (or downloads them into it) and writes ``benchmarks/openml/contexts/``. ``tests/benchmarks/test_contexts.py``
compares the files with the data.

OpenML's texts about the data sets are left out, because the copies behind the files have none. ``full`` is therefore
the names and the meta-features. The shared copy of ``segment`` has the shape, names and classes of HPOBench's, but
perhaps not its rows (a model trained on them has other scores than the v1 table): only these are described.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from benchmarks.hpobench.hpobench import DATA_SETS
from benchmarks.openml.openml_task import load_task
from benchmarks.openml.task_contexts import FOLDER, parts
from harness.arguments import Parser
from harness.errors import HyperboleError, SettingError


def main() -> None:
    """Write every file, or print the reason for the failure."""
    parser = Parser(prog="python -m benchmarks.hpobench.write_contexts", description=__doc__.splitlines()[0])
    parser.add_argument("--cache", help="root folder of the OpenML client's cache; its own if not given")
    folder = parser.parse_args().cache
    try:
        texts = {task: contexts_text(task, folder) for task in DATA_SETS}
    except HyperboleError as error:
        sys.exit(str(error))
    for task, text in texts.items():
        context_file(task).write_text(text, encoding="utf-8")


def context_file(task: str) -> Path:
    """Path of a task's file."""
    return FOLDER / f"hpobench.{task}.json"


def contexts_text(task: str, cache: str | None) -> str:
    """The contents of a task's file.

    Args:
        task: One of HPOBench's.
        cache: Root folder of the OpenML client's cache, or None for its own.

    Raises:
        SettingError: The data are not available, or are not those behind the table.
    """
    expected = DATA_SETS[task]
    data = load_task(expected.openml_task, cache)
    shape = (*data.features.shape, len(data.classes))
    if shape != (expected.rows, expected.features, expected.classes):
        raise SettingError(
            f"OpenML task {expected.openml_task} has (rows, features, classes) {shape}, but HPOBench's {task} has "
            f"{expected.rows, expected.features, expected.classes}; delete it from the cache and download it again."
        )
    told = parts(dataclasses.replace(data, description=""))
    return json.dumps({"openml_task": expected.openml_task, **told}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
