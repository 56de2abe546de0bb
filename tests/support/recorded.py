"""The recorded runs in results/, which are packed, as folders for tests."""

from __future__ import annotations

from pathlib import Path

from harness.packed import CALLS, RECORD, TRIALS, content_of

RESULTS = Path(__file__).parents[2] / "results"


def restore(run: Path, folder: Path) -> Path:
    """Write the files of a recorded run into a folder, and return the folder.

    Args:
        run: ``RESULTS / <experiment> / <task> / <method> / <seed>``.
        folder: A new folder.
    """
    folder.mkdir(parents=True)
    for name in (RECORD, TRIALS, CALLS):
        if (content := content_of(run / name)) is not None:
            (folder / name).write_bytes(content)
    return folder
