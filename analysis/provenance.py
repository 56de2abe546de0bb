"""Where the numbers come from: commits, versions, models, budgets and settings of the runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from analysis.load import Experiment, Run
from harness.visible import visible

_SECRET = re.compile(r"api_?key|password|secret|credential|^(auth_)?token$", re.IGNORECASE)


def provenance(experiment: Experiment) -> tuple[tuple[str, str], ...]:
    """(what, values over all runs) with the number of runs where they differ."""
    facts: dict[str, dict[str, int]] = {}
    for run in experiment.runs:
        for what, fact in _facts(run):
            counts, value = facts.setdefault(what, {}), visible(fact)
            counts[value] = counts.get(value, 0) + 1
    seeds = ", ".join(map(str, sorted({run.seed for run in experiment.runs})))
    return ("seeds", seeds), *((what, _counted(counts)) for what, counts in facts.items())


def settings(experiment: Experiment) -> tuple[tuple[str, str], ...]:
    """(method, resolved configuration of its first run as indented JSON, without secrets)."""
    first: dict[str, Run] = {}
    for run in experiment.runs:
        first.setdefault(run.method, run)
    return tuple((name, json.dumps(_without_secrets(run.info.get("config")), indent=2)) for name, run in first.items())


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    info = run.info
    git = info.get("git") or {}
    dirty = {True: ", with uncommitted changes", False: "", None: ", unknown whether changed"}[git.get("dirty")]
    yield "git commit", f"{git['commit']}{dirty}" if git.get("commit") else "not recorded"
    budget = info.get("budget") or {}
    yield (
        "budget",
        ", ".join(f"{value} {name}" for name, value in budget.items() if value is not None) or "not recorded",
    )
    if info["llm"] is not None:
        yield "language model", _model(run)
    for name, version in sorted((info.get("versions") or {}).items()):
        yield f"{name} version", str(version)


def _model(run: Run) -> str:
    """Name in the configuration, and what the server called it in the first recorded call."""
    path = run.folder / "calls.jsonl"
    if not path.exists():
        return str(run.info["llm"])
    with path.open("rb") as file:
        line = file.readline()
    try:
        call = json.loads(line)
    except ValueError:
        return str(run.info["llm"])
    return f"{run.info['llm']}: {call.get('model')}"


def _counted(counts: dict[str, int]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{value} ({count} runs)" for value, count in counts.items())


def _without_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {key: "hidden" if _SECRET.search(str(key)) else _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value
