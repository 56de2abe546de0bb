"""Comparability: what the compared runs have in common, and how they differ besides the method."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from analysis.present.table import Column, Entry, Findings, Table, frame_of
from analysis.runs.calls import read_calls
from analysis.runs.escape import one_line
from analysis.runs.load import Experiment, Run
from analysis.runs.recorded_settings import without_secrets
from analysis.runs.variants import variant
from analysis.stats.material import Material
from analysis.tables.budgets import budget_text, limits
from harness.method import comparable
from harness.visible import listed

COLUMNS = (
    Column("what", ("what",), "text"),
    Column("value", ("value",), "prose"),
    Column("runs", ("runs",), "count"),
    Column("methods", ("methods",), "prose"),
)
NOT_RECORDED = "not recorded"
_OWN = ("_target_", "task", "chat", "prompt")
"""Entries that name a class or task, or repeat a group."""
_MOST_LISTED = 8
_LONGEST_VALUE = 100
_COMMIT_CHARACTERS = 12

Facts = dict[str, dict[str, tuple[Run, ...]]]
"""Fact -> value in words -> the runs with this value; a run for which the fact has no meaning is left out."""


def facts(experiment: Experiment) -> Facts:
    """All recorded facts that could make runs incomparable, in the order of the table."""
    runs, trials = experiment.runs, experiment.trials
    with_llm = [run for run in runs if run.info["llm"] is not None]
    of_task = [[run for run in runs if run.task == task] for task in experiment.tasks]
    of_method = [[run for run in runs if run.method == method] for method in experiment.methods]
    named = [_named(with_llm, "llm"), _named(with_llm, "decoding")]
    found: Facts = {"budget": _by_value((run, _budget(run, trials)) for run in runs)}
    for group in ("start", "repair", "probe"):
        found[group] = _by_value(_choices(runs, group))
    found["benchmark settings"] = _by_value(_settings(of_task, "benchmark"))
    found["language model"] = _by_value((run, _model(run)) for run in with_llm)
    found["model server"] = _by_value((run, _server(run)) for run in with_llm)
    found["model settings"] = _by_value(_settings(named[0], "llm"))
    found["decoding settings"] = _by_value(_settings(named[1], "decoding"))
    found["method settings"] = _by_value(_settings(of_method, "optimizer"))
    found["code of their classes"] = _by_value(_code(runs))
    for package in dict.fromkeys(name for run in runs for name in sorted(run.info.get("versions") or {})):
        found[f"{package} version"] = _by_value((run, _version(run, package)) for run in runs)
    found["commit"] = _by_value((run, str(_git(run).get("commit") or NOT_RECORDED)) for run in runs)
    found["changed files"] = _by_value((run, _changed(run)) for run in runs)
    found["machine"] = _by_value((run, str(run.info.get("host") or NOT_RECORDED)) for run in runs)
    return {what: values for what, values in found.items() if values}


def comparability_findings(of: Material) -> Findings:
    """The table, and a sentence if the runs differ in more than the method."""
    experiment = of.experiment
    found = facts(experiment)
    differing = {what: values for what, values in found.items() if len(values) > 1}
    rows = [row for what, values in differing.items() for row in _rows(what, values, experiment)]
    versions = [what for what in found if what.endswith(" version") and what not in differing]
    shared = {what: values for what, values in found.items() if what not in differing and what not in versions}
    if versions:
        shared["package versions"] = {f"{len(versions)} recorded, all equal": experiment.runs}
    rows += [row for what, values in shared.items() for row in _rows(what, values, experiment)]
    said = [f"The runs differ in more than the method: {', '.join(differing)}."] if differing else []
    said += _starts(found["start"], experiment)
    note = "From run.json and calls.jsonl. Differences come first; all versions are listed under provenance."
    title = "Comparability of the runs"
    return Findings((Table("shared", title, frame_of(rows, COLUMNS), COLUMNS, (note,)),), tuple(said))


def provenance(experiment: Experiment) -> tuple[tuple[str, str], ...]:
    """(fact, values) of all facts, with numbers of runs if values differ."""
    seeds = ", ".join(map(str, sorted({run.seed for run in experiment.runs})))
    return ("seeds", seeds), *((what, one_line(_counted(values))) for what, values in facts(experiment).items())


def _counted(values: Mapping[str, Sequence[Run]]) -> str:
    if len(values) == 1:
        return next(iter(values))
    return "; ".join(f"{value} ({len(runs)} runs)" for value, runs in values.items())


def _rows(what: str, values: Mapping[str, Sequence[Run]], experiment: Experiment) -> Iterator[dict[str, object]]:
    for value, runs in values.items():
        longest = _COMMIT_CHARACTERS if what == "commit" else _LONGEST_VALUE
        shown = value if len(value) <= longest else f"{value[:longest]}..."
        yield {"what": what, "value": shown, "runs": len(runs), "methods": _whose(runs, experiment)}


def _whose(runs: Sequence[Run], experiment: Experiment) -> str:
    if len(runs) == len(experiment.runs):
        return "all"
    if {run.id for run in runs} == {run.id for run in experiment.runs if run.info["llm"] is not None}:
        return "all with a language model"
    return listed(list(dict.fromkeys(run.method for run in runs)), _MOST_LISTED)


def _starts(values: Mapping[str, Sequence[Run]], experiment: Experiment) -> list[str]:
    """A sentence if some methods started from a given first trial, which may explain an early lead."""
    if len(values) < 2:
        return []
    methods = {value: list(dict.fromkeys(run.method for run in runs)) for value, runs in values.items()}
    models = {run.method for run in experiment.runs if run.info["llm"] is not None}
    given = [name for value, names in methods.items() if value != "none" for name in names]
    ungiven = methods.get("none", [])
    what = "; ".join(f"start={value}: {listed(names, _MOST_LISTED)}" for value, names in methods.items())
    unfair = models & set(given) and set(ungiven) - models
    more = " A language model that was shown a configuration is compared with a control that was not." if unfair else ""
    return [f"The methods started from different trials ({what}).{more}"]


def _by_value(pairs: Iterable[tuple[Run, str]]) -> dict[str, tuple[Run, ...]]:
    found: dict[str, list[Run]] = {}
    for run, value in pairs:
        found.setdefault(value, []).append(run)
    return {value: tuple(runs) for value, runs in found.items()}


def _budget(run: Run, trials: pl.DataFrame) -> str:
    return budget_text(limits(run, trials)) if run.info.get("budget") else NOT_RECORDED


def _choices(runs: Sequence[Run], group: str) -> Iterator[tuple[Run, str]]:
    """For each run the group's choice, and the settings that differ from it: ``given, configurations=[...]``."""
    known: dict[tuple[int, int], str] = {}
    for run in runs:
        if run.shared not in known:
            settings: Any = without_secrets(run.identity.of(group))
            listed = (f"{name}={json.dumps(value)}" for name, value in settings.items())
            known[run.shared] = ", ".join([variant(run, group).choice or "none", *listed])
        yield run, known[run.shared]


def _named(runs: Sequence[Run], group: str) -> list[list[Run]]:
    """Runs grouped by the choices and settings of a group that are part of their method's name."""
    found: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        named = (run.identity.choices.get(group), json.dumps(run.identity.of(group), sort_keys=True))
        found.setdefault((run.info["llm"], *named), []).append(run)
    return list(found.values())


def _settings(together: Iterable[Sequence[Run]], group: str) -> Iterator[tuple[Run, str]]:
    """For runs that should have the same settings of a group: the settings that differ, or that none does."""
    for runs in together:
        leaves = _leaves_of(runs, group)
        names = dict.fromkeys(name for found in leaves for name in found)
        differing = [name for name in names if len({found.get(name) for found in leaves}) > 1]
        for run, found in zip(runs, leaves, strict=True):
            listed = ", ".join(f"{name}={found.get(name, 'not set')}" for name in differing)
            yield run, listed or "the same"


def _leaves_of(runs: Sequence[Run], group: str) -> list[dict[str, str]]:
    """For each run the settings of a group; equal configurations, which records share, are read once."""
    known: dict[int, dict[str, str]] = {}
    found = []
    for run in runs:
        section = (run.info.get("config") or {}).get(group)
        if id(section) not in known:
            known[id(section)] = _leaves(comparable({group: without_secrets(section)})[group], group)
        found.append(known[id(section)])
    return found


def _code(runs: Iterable[Run]) -> Iterator[tuple[Run, str]]:
    """Source files of classes that differ between runs, for runs that recorded them."""
    of_runs: list[tuple[Run, dict[str, str]]] = []
    for run in runs:
        sources = run.info.get("sources")
        each = sources.values() if isinstance(sources, Mapping) else ()
        known = {str(one.get("file")): str(one.get("sha256"))[:12] for one in each if isinstance(one, Mapping)}
        of_runs += [(run, known)] if known else []
    contents: dict[str, set[str]] = {}
    for _, known in of_runs:
        for file, content in known.items():
            contents.setdefault(file, set()).add(content)
    for run, known in of_runs:
        listed = ", ".join(f"{file} {content}" for file, content in known.items() if len(contents[file]) > 1)
        yield run, listed or "the same"


def _leaves(value: Any, path: str = "") -> dict[str, str]:
    """Dotted names -> values as JSON, without the names of classes, which belong to the choice."""
    if not isinstance(value, Mapping):
        return {path: json.dumps(value)} if path else {}
    found: dict[str, str] = {}
    for key, item in value.items():
        if key not in _OWN:
            found |= _leaves(item, f"{path}.{key}" if path else str(key))
    return found


def _config(run: Run) -> dict[str, Any]:
    return dict(comparable(without_secrets(run.info.get("config") or {})))


def _model(run: Run) -> str:
    """Name in the configuration, and the server's name in the first recorded call."""
    calls = read_calls(run.folder / "calls.jsonl")
    configured = (_config(run).get("llm") or {}).get("model")
    return f"{run.info['llm']}: {calls[0].model if calls else configured}"


def _server(run: Run) -> str:
    """The server's address, and how it computes if recorded; this depends on the machine, not on settings."""
    calls = read_calls(run.folder / "calls.jsonl")
    servers = {f"{call.server or NOT_RECORDED}{f' {call.serving}' if call.serving else ''}" for call in calls}
    return ", ".join(sorted(servers)) or NOT_RECORDED


def _version(run: Run, package: str) -> str:
    return str((run.info.get("versions") or {}).get(package, "not installed"))


def _git(run: Run) -> Mapping[str, Any]:
    return run.info.get("git") or {}


def _changed(run: Run) -> str:
    """Files that differed from the commit; older runs only record whether there were any."""
    git = _git(run)
    if git.get("dirty") is None:
        return NOT_RECORDED
    if not git["dirty"]:
        return "none"
    names = git.get("changed")
    if not isinstance(names, list):
        return "some"
    return f"{listed([str(name) for name in names], _MOST_LISTED)} (changes {str(git.get('diff'))[:12]})"


TABLE = Entry(40, comparability_findings, whole="")
