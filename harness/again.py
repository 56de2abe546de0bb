"""One recorded run, played again in a process of its own: nothing that another run left behind can help it."""

from __future__ import annotations

import copy
import itertools
import json
import multiprocessing
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from harness.errors import HyperboleError
from harness.faults import knew_grid
from harness.folder import RunFolder
from harness.method import DECODING, with_schema_form
from harness.offline import go_offline
from harness.outcome import TIMED
from harness.plumbing import WHEREABOUTS
from harness.rows import in_older_words
from harness.seeds import recorded_seeds
from harness.trust import Trust, walk
from harness.values import TARGET, Place
from harness.whole import whole_rows

TIMES = frozenset({"ask_seconds", "evaluation_seconds", "started_at"})
IDENTITY = ("experiment", "benchmark", "task", "method", "optimizer", "llm", "choices", "settings", "seed")
NO_TRACKER = {TARGET: "harness.tracker.NoTracker"}
PRELOADED = ["harness.again", "harness.perform", "ConfigSpace", "numpy", "hydra.utils"]
"""Imported once for all processes, so that each starts quickly."""


def played_again(folder: RunFolder, run: Mapping[str, Any], trust: Trust, settings: Mapping[Place, Any]) -> str | None:
    """Play one run again in a fresh process and a scratch folder.

    Args:
        folder: Where it is recorded; nothing is written there.
        run: Its run.json, which ``trust`` has checked.
        trust: What may be built.
        settings: Where this machine keeps what the benchmark reads, by place.

    Returns:
        The first difference in words, or None.
    """
    with tempfile.TemporaryDirectory(prefix="hyperbole-replay-") as scratch:
        config = offline_config(run["config"], folder.path, Path(scratch), trust, settings)
        return in_a_fresh_process(_play, folder.path, Path(scratch), dict(run), config)


def in_a_fresh_process(function: Callable[..., str | None], *arguments: Any) -> str | None:
    """What a function of this module returns in a process in which nothing has run before."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            return "the process in which it was played again died"


def offline_config(
    config: Mapping[str, Any], recorded: Path, scratch: Path, trust: Trust, settings: Mapping[Place, Any]
) -> dict[str, Any]:
    """The run's configuration: models answer from the record alone, nobody watches, and no path is the record's.

    Raises:
        RunError: It has a model that cannot be kept from asking.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(config)) | {"tracker": NO_TRACKER}
    for place, node in list(walk(changed)):
        if isinstance(node, dict) and node.get(TARGET) == DECODING:
            node.update(with_schema_form(node))
        if isinstance(node, dict) and trust.is_model(place, node):
            node |= {
                "recording": str(scratch / "calls.jsonl"),
                "replay": str(recorded.absolute() / "calls.jsonl"),
                "live": False,
            }
    benchmark = changed.get("benchmark") or {}
    for key in WHEREABOUTS & set(benchmark):
        if not isinstance(benchmark[key], bool | None):  # somebody's path
            benchmark[key] = trust.default("benchmark", benchmark.get(TARGET), key)
    return changed | {"benchmark": benchmark | {place[1]: value for place, value in settings.items()}}


def _play(recorded: Path, scratch: Path, run: dict[str, Any], config: dict[str, Any]) -> str | None:
    """In the fresh process."""
    from harness.perform import perform

    go_offline()
    again = RunFolder(scratch)
    identity = {key: run[key] for key in IDENTITY} | {"config": run["config"], "seeds": recorded_seeds(run)}
    try:
        perform(config, again, identity, live=False)
        rows = again.rows()
        by_the_clock = run["budget"].get("seconds") is not None
        found = difference(RunFolder(recorded).rows(), rows, by_the_clock, knew_grid(run))
        if found is None:
            whole_rows(recorded, run)
        return found
    except HyperboleError as error:
        return str(error)
    except Exception as error:  # a record may hold anything: what became of it is what is to be said
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"it cannot be played again, {type(error).__name__} at {last.filename}:{last.lineno}: {error}"


def difference(
    before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]], by_the_clock: bool, with_grid: bool = True
) -> str | None:
    """The first difference between two logs in words, times aside; None if there is none.

    Args:
        before: The recorded rows.
        after: The new ones.
        by_the_clock: Whether seconds ended the run, so that one log may be longer.
        with_grid: Whether the recorded rows were judged by rules that know what is off the grid.
    """
    pairs = zip(before, after, strict=False) if by_the_clock else itertools.zip_longest(before, after)
    for index, (old, new) in enumerate(pairs):
        if old is None or new is None:
            return f"{len(before)} trials were recorded, {len(after)} came out"
        judged = new if with_grid else in_older_words(new, old)
        for key in old:
            if key not in TIMES and _untimed(key, old) != _as_recorded(key, old, judged):
                return f"trial {index}: {key} was {json.dumps(old[key])} and is now {json.dumps(judged.get(key))}"
    return None


def _as_recorded(key: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
    """The new value, without counts that an older record does not have."""
    if key == "usage" and isinstance(old[key], dict):
        return {count: new[key].get(count) for count in old[key]}
    return _untimed(key, new)


def _untimed(key: str, row: dict[str, Any]) -> Any:
    """The value, without metrics that are never the same twice where a model is trained."""
    value = row.get(key)
    if key != "metrics" or not isinstance(value, dict):
        return value
    return {name: number for name, number in value.items() if not name.endswith(TIMED)}
