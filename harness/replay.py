"""Check recorded runs: play each one again from its own record and compare the trials.

python -m harness.replay runs/quickstart

No server is needed and no connection is opened: replies come from calls.jsonl, everything else is computed anew from
the run's configuration and seed. What a benchmark trains live is trained again, unless the evaluation cache still has
it. Each run gets a process of its own, whatever it shared one with when it was recorded.

The folder may be a stranger's: only classes that a configuration file names are built, and no path of the record is
used. Name a plug-in's folder as for harness.run, with 'hydra.searchpath=[FOLDER]' (or '<group>._target_=...'), and
where a benchmark's data are with 'benchmark.folder=...' and 'benchmark.cache=...'.
Exit codes: 0 every run came out the same but for its times, 1 one did not, 2 one was refused, or a mistake in the
command.
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
from harness.run_files import ANYWHERE, run_files
from harness.trust import from_command_line
from harness.visible import visible


def main() -> None:
    """The command."""
    parser = Parser.of_module("harness.replay", __doc__)
    parser.add_argument("folder", type=Path, help="an experiment, or any folder with runs below it")
    parser.add_argument("overrides", nargs="*", help="hydra.searchpath=[...] and others, see below")
    options = parser.parse_args()
    with explained(options.overrides):
        differences, refused = replay_all(options.folder, options.overrides)
    raise SystemExit(2 if refused else 1 if differences else 0)


def replay_all(folder: Path, overrides: Sequence[str] = ()) -> tuple[int, int]:
    """Replay every complete run below a folder and say what came of it.

    Returns:
        How many runs came out differently, and how many were refused.

    Raises:
        RunError: There is no complete run.
        SettingError: An override is none.
    """
    from harness.choice_files import CONF

    trust, settings = from_command_line(overrides, CONF)
    complete: list[tuple[RunFolder, dict[str, Any]]] = []
    refused = differences = 0
    for path in run_files(folder, ANYWHERE):
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
        raise RunError(f"There is no complete run below {folder}; name an experiment's folder, e.g. runs/quickstart.")
    for run, said in complete:
        if (what := played_again(run, said, trust, settings)) is not None:
            differences += 1
            print(visible(f"{run.path}: {what}"), flush=True)
    print(f"{len(complete) - differences} of {len(complete) + refused} runs replayed to the same trials.")
    return differences, refused


if __name__ == "__main__":
    main()
