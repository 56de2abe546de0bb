"""Check recorded runs: replay each from its own record and compare the trials.

python -m harness.replay runs/quickstart

No server is needed and no connection is opened: replies come from calls.jsonl, everything else is recomputed from
the run's configuration and seed. Models that a benchmark trains are trained again, unless they are in the evaluation
cache. Each run is replayed in its own process.

The folder may be untrusted: only classes that a configuration file names are built, and no path of the record is
used. Name a plug-in's folder as for harness.run, with 'hydra.searchpath=[FOLDER]' (or '<group>._target_=...'), and
a benchmark's data with 'benchmark.folder=...' and 'benchmark.cache=...'.
Exit codes: 0 all trials were equal except their times, 1 a run differed, 2 a run was refused, or a mistake in
the command.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.again import played_again
from harness.arguments import Parser
from harness.errors import HyperboleError, RunError
from harness.explain import explained
from harness.folder import RunFolder
from harness.run_files import every_run_file
from harness.trust import from_command_line
from harness.visible import visible


def main() -> None:
    """The command."""
    parser = Parser.of_module("harness.replay", __doc__)
    parser.add_argument("folder", type=Path, help="an experiment, or any folder with runs below it")
    parser.add_argument("overrides", nargs="*", default=[], help="hydra.searchpath=[...] and others, see below")
    options = parser.parse_args()
    with explained(options.overrides):
        differences, refused = replay_all(options.folder, options.overrides)
    raise SystemExit(2 if refused else 1 if differences else 0)


def replay_all(folder: Path, overrides: Sequence[str] = ()) -> tuple[int, int]:
    """Replay every complete run below a folder and print the results.

    Returns:
        The number of runs that differed, and the number refused.

    Raises:
        RunError: There is no complete run.
        SettingError: An override is invalid.
    """
    from harness.choice_files import CONF

    trust, settings = from_command_line(overrides, CONF)
    complete: list[tuple[RunFolder, dict[str, Any]]] = []
    refused = differences = 0
    for path in every_run_file(folder):
        run = RunFolder(path.parent)
        try:
            said = run.read() or {}
            if said.get("status") == "complete":
                trust.check(said["config"])
                complete.append((run, said))
        except HyperboleError as error:
            refused += 1
            print(visible(f"{run.path}: {error}"), file=sys.stderr)
    if not complete and not refused:
        raise RunError(f"No run below {folder} is complete; complete them first, or give another folder.")
    for run, said in complete:
        if (what := played_again(run, said, trust, settings)) is not None:
            differences += 1
            print(visible(f"{run.path}: {what}"), flush=True)
    print(f"{len(complete) - differences} of {len(complete) + refused} runs replayed to the same trials.")
    return differences, refused


if __name__ == "__main__":
    main()
