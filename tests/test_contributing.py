"""The examples of docs/extending.md, written to a folder outside the repository and run as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.contributing import SECTIONS, write_examples


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.splitlines()[0])
def test_the_example_works_as_written(section, tmp_path):
    assert write_examples(section, tmp_path)
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL))
    assert commands
    bin_folder = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    runs = [json.loads(path.read_text()) for path in tmp_path.rglob("run.json")]
    assert runs
    assert {run["status"] for run in runs} == {"complete"}
