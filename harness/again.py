"""Replay one recorded run in a fresh process, so that state of other runs has no effect."""

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

from harness.cache import NONE, USER
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
"""Modules imported once for all processes, so that each starts quickly."""


def played_again(folder: RunFolder, run: Mapping[str, Any], trust: Trust, settings: Mapping[Place, Any]) -> str | None:
    """Replay one run in a fresh process and a temporary folder.

    Args:
        folder: Folder of the run; nothing is written there.
        run: Its run.json, checked by ``trust``.
        trust: The classes that may be built.
        settings: Local paths of the benchmark's data, by place in the configuration.

    Returns:
        The first difference as a text, or None.
    """
    with tempfile.TemporaryDirectory(prefix="hyperbole-replay-") as scratch:
        config = offline_config(run["config"], folder.path, Path(scratch), trust, settings)
        return in_a_fresh_process(_play, folder.path, Path(scratch), dict(run), config)


def in_a_fresh_process(function: Callable[..., str | None], *arguments: Any) -> str | None:
    """Call a function of this module in a fresh process and return its result."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            return "the replaying process died"


def offline_config(
    config: Mapping[str, Any], recorded: Path, scratch: Path, trust: Trust, settings: Mapping[Place, Any]
) -> dict[str, Any]:
    """The run's configuration for a replay: recorded replies only, no tracker, and no paths of the record.

    Raises:
        RunError: It has a model that cannot be limited to recorded replies.
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
        is_word = isinstance(benchmark[key], bool | None) or (key == "cache" and benchmark[key] in (USER, NONE))
        if not is_word:  # a path of another machine
            benchmark[key] = trust.default("benchmark", benchmark.get(TARGET), key)
    return changed | {"benchmark": benchmark | {place[1]: value for place, value in settings.items()}}


def _play(recorded: Path, scratch: Path, run: dict[str, Any], config: dict[str, Any]) -> str | None:
    """Replay in the fresh process."""
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
    except Exception as error:  # a record may hold anything, and any error is a result
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"it cannot be replayed, {type(error).__name__} at {last.filename}:{last.lineno}: {error}"


def difference(
    before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]], by_the_clock: bool, with_grid: bool = True
) -> str | None:
    """The first difference between two logs as a text, ignoring times; None if there is none.

    Args:
        before: The recorded rows.
        after: The new ones.
        by_the_clock: Whether seconds limit the run, so that one log may be longer.
        with_grid: Whether the recorded rows distinguish off-grid numbers.
    """
    pairs = zip(before, after, strict=False) if by_the_clock else itertools.zip_longest(before, after)
    for index, (old, new) in enumerate(pairs):
        if old is None or new is None:
            return f"{len(before)} trials were recorded, but the replay made {len(after)}"
        judged = new if with_grid else in_older_words(new, old)
        for key in old:
            if key not in TIMES and _untimed(key, old) != _as_recorded(key, old, judged):
                return f"trial {index}: {key} was {json.dumps(old[key])} and is now {json.dumps(judged.get(key))}"
    return None


def _as_recorded(key: str, old: dict[str, Any], new: dict[str, Any]) -> Any:
    """The new value, without counts that older records lack."""
    if key == "usage" and isinstance(old[key], dict):
        return {count: new[key].get(count) for count in old[key]}
    return _untimed(key, new)


def _untimed(key: str, row: dict[str, Any]) -> Any:
    """The value, without metrics of training that are not reproducible."""
    value = row.get(key)
    if key != "metrics" or not isinstance(value, dict):
        return value
    return {name: number for name, number in value.items() if not name.endswith(TIMED)}
