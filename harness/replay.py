"""Check recorded runs: play each one again from its own record and compare the trials.

python -m harness.replay runs/quickstart

No server is needed: replies come from calls.jsonl, everything else is computed anew from the run's configuration and
seed. What a benchmark trains live is trained again, unless the evaluation cache still has it.
Exit codes: 0 every run came out the same but for its times, 1 one did not, 2 a mistake in the command.
"""

from __future__ import annotations

import copy
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

from harness.arguments import Parser
from harness.errors import HyperboleError, RunError
from harness.experiments import not_an_experiment
from harness.explain import explained
from harness.folder import RunFolder

TIMES = frozenset({"ask_seconds", "evaluation_seconds", "started_at"})
TIMED = ("_seconds", "_joules")
"""How metrics end that are times as well."""
IDENTITY = ("experiment", "benchmark", "task", "method", "optimizer", "llm", "seed")
NO_TRACKER = {"_target_": "harness.tracker.NoTracker"}


def main() -> None:
    """The command."""
    parser = Parser(prog="python -m harness.replay", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="an experiment, or any folder with runs below it")
    folder = parser.parse_args().folder
    with explained([]):
        differences = replay_all(folder)
    raise SystemExit(1 if differences else 0)


def replay_all(folder: Path) -> int:
    """Replay every complete run below a folder and say what came of it.

    Returns:
        How many runs came out differently.

    Raises:
        RunError: There is no complete run.
    """
    runs = [RunFolder(path.parent) for path in sorted(folder.rglob("run.json"))]
    if not runs:
        raise not_an_experiment(folder)
    complete = [run for run in runs if (run.read() or {}).get("status") == "complete"]
    if not complete:
        raise RunError(f"There is no complete run below {folder}; name an experiment's folder, e.g. runs/quickstart.")
    differences = 0
    for run in complete:
        what = replay(run)
        if what is not None:
            differences += 1
            print(f"{run.path}: {what}")
    print(f"{len(complete) - differences} of {len(complete)} runs replayed to the same trials.")
    return differences


def replay(folder: RunFolder) -> str | None:
    """Play one run again in a scratch folder.

    Returns:
        The first difference in words, or None.
    """
    from harness.perform import perform

    run = folder.read()
    assert run is not None
    with tempfile.TemporaryDirectory(prefix="hyperbole-replay-") as scratch:
        again = RunFolder(Path(scratch))
        config = _from_record(run["config"], folder.path, again.path)
        identity = {key: run[key] for key in IDENTITY} | {"config": run["config"]}
        try:
            perform(config, again, identity, live=False)
        except HyperboleError as error:
            return str(error)
        rows = again.rows()
    return _difference(folder.rows(), rows, by_the_clock=run["budget"]["seconds"] is not None)


def _from_record(config: dict[str, Any], recorded: Path, scratch: Path) -> dict[str, Any]:
    """The run's configuration, its model answering from the record and nobody watching."""
    changed = copy.deepcopy(config) | {"tracker": NO_TRACKER}
    for model in (changed.get("llm"), *changed["optimizer"].values()):
        if isinstance(model, dict) and {"recording", "replay", "live"} <= set(model):
            model |= {
                "recording": str(scratch / "calls.jsonl"),
                "replay": str(recorded / "calls.jsonl"),
                "live": False,
            }
    return changed


def _difference(before: list[dict[str, Any]], after: list[dict[str, Any]], by_the_clock: bool) -> str | None:
    pairs = zip(before, after, strict=False) if by_the_clock else itertools.zip_longest(before, after)
    for index, (old, new) in enumerate(pairs):
        if old is None or new is None:
            return f"{len(before)} trials were recorded, {len(after)} came out"
        for key in old:
            if key not in TIMES and _untimed(key, old) != _as_recorded(key, old, new):
                return f"trial {index}: {key} was {json.dumps(old[key])} and is now {json.dumps(new[key])}"
    return None


def _as_recorded(key: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
    """The new value, without counts that an older record does not have."""
    return {count: new[key].get(count) for count in old[key]} if key == "usage" else _untimed(key, new)


def _untimed(key: str, row: dict[str, Any]) -> Any:
    """The value, without metrics that are never the same twice where a model is trained."""
    if key != "metrics" or row[key] is None:
        return row[key]
    return {name: value for name, value in row[key].items() if not name.endswith(TIMED)}


if __name__ == "__main__":
    main()
