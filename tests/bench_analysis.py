"""Cost of analysis: ``python -m tests.bench_analysis EXPERIMENT``, or make bench. No assertions.

The experiment to all tables, figures and the report, as run folders and packed; both for the first time and again,
when what was read is in the cache. Every line has the largest memory of the command's process.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.run_files import run_files


def main() -> None:
    """Measure the experiment that the command names."""
    measure(Path(sys.argv[1]))


def measure(experiment: Path) -> None:
    """Print seconds and memory of analysis and of packing; the experiment is not changed."""
    print(f"analysis of {len(run_files(experiment)):,} runs to all tables, figures and the report:")
    with tempfile.TemporaryDirectory() as scratch:
        packed, output = Path(scratch) / "packed", Path(scratch) / "output"
        cache = {"XDG_CACHE_HOME": str(Path(scratch) / "cache")}
        _run("as run folders", ["analysis", str(experiment), "--output", str(output)], cache)
        _run("the same again", ["analysis", str(experiment), "--output", str(output)], cache)
        _run("packing", ["harness.pack", str(experiment), "--to", str(packed)], cache)
        _run("packed", ["analysis", str(packed)], cache)
        _run("the same again", ["analysis", str(packed)], cache)


def _run(name: str, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    clock = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], env={**os.environ, **variables}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, shlex.join(arguments)
    seconds, gigabytes = time.perf_counter() - clock, usage.ru_maxrss * 1024 / 1e9
    print(f"  {name:15} {seconds:6.1f} s, {gigabytes:.2f} GB (python -m {shlex.join(arguments)})", flush=True)


if __name__ == "__main__":
    main()
