"""Writes down what prompts may be told of the data behind HPOBench's tables, so that a run needs no data for it.

``python -m benchmarks.hpobench.write_contexts --cache FOLDER`` reads the tasks from the OpenML client's cache in that
folder (or downloads them into it) and writes ``benchmarks/shared/contexts/``. ``tests/benchmarks/test_contexts.py``
compares the files with the data again.

Left out are OpenML's texts about the data sets: the copies that the files were made from have none. ``full`` is
therefore the names and the meta-features. The shared copy of ``segment`` has the shape, names and classes of HPOBench's
but perhaps not its rows (a model trained on them scores otherwise than the v1 table says): of it only that is told.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from benchmarks.hpobench.hpobench import DATA_SETS
from benchmarks.openml.openml_task import load_task
from benchmarks.shared.task_contexts import FOLDER, parts
from harness.arguments import Parser
from harness.errors import HyperboleError, SettingError


def main() -> None:
    """Write every file, or say in a sentence why not."""
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
    """Where a task's is."""
    return FOLDER / f"hpobench.{task}.json"


def contexts_text(task: str, cache: str | None) -> str:
    """The contents of a task's file.

    Args:
        task: One of HPOBench's.
        cache: Root folder of the OpenML client's cache, or None for its own.

    Raises:
        SettingError: The data cannot be had, or are not those behind the table.
    """
    expected = DATA_SETS[task]
    data = load_task(expected.openml_task, cache)
    shape = (*data.features.shape, len(data.classes))
    if shape != (expected.rows, expected.features, expected.classes):
        raise SettingError(
            f"OpenML task {expected.openml_task} has (rows, features, classes) {shape} where HPOBench's {task} has "
            f"{expected.rows, expected.features, expected.classes}; delete that task from the cache and get it again."
        )
    told = parts(dataclasses.replace(data, description=""))
    return json.dumps({"openml_task": expected.openml_task, **told}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
