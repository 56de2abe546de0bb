"""Real data for tests that read it: ``$HYPERBOLE_DATA``, or the folder ``shared/data`` beside the repository."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("HYPERBOLE_DATA", Path(__file__).parents[3] / "shared" / "data"))
REASON = f"reads real data, and there are none in {FOLDER}; name their folder with HYPERBOLE_DATA"

needs_data = pytest.mark.skipif(not FOLDER.is_dir(), reason=REASON)


@cache
def openml_folder() -> Path:
    """A writable copy of the OpenML client's cache folder for this process: the client writes into it,
    and deletes incomplete entries."""
    copy = Path(tempfile.mkdtemp(prefix="hyperbole-openml-"))
    shutil.copytree(FOLDER / "openml-cache", copy, dirs_exist_ok=True, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(stat.S_IRWXU if path.is_dir() else stat.S_IRUSR | stat.S_IWUSR)
    import atexit

    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return copy
