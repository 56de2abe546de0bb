"""The rows of an experiment as polars frames: runs, trials, violations and calls. Tables and figures use these.

    from analysis.runs.frames import load, trials, violations

    experiment = load("runs/quickstart")           # read once; each function also takes the folder itself
    trials(experiment).group_by("method").agg(pl.col("invalid").mean())
    violations(experiment).to_pandas()

``analysis.runs.columns`` describes the columns. As in the tables, only complete, undamaged runs are included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from analysis.runs.calls import Call, read_calls
from analysis.runs.columns import CALLS, OF_A_CALL, RUNS, VIOLATIONS, schema_of
from analysis.runs.load import Experiment, Run, labelled
from analysis.runs.load import load as load_folder
from analysis.runs.regret import incumbent_trials
from harness.faults import GROUP_OF, knew_grid, perhaps_off_grid
from harness.jsonl import read_rows
from harness.problem import Objective
from harness.scalars import finite
from harness.trial import Fault

Source = Experiment | Path | str
"""A loaded experiment, or its folder."""


def load(folder: Path | str) -> Experiment:
    """Load every complete run below an experiment's folder, with the methods' names in tables.

    Raises:
        SettingError: There is no such folder, but there are other experiments beside it.
        RunError: It is not an experiment, or has no complete, undamaged run.
    """
    return labelled(load_folder(Path(folder)))


def runs(source: Source) -> pl.DataFrame:
    """One row per run, with the columns of ``analysis.runs.columns.RUNS``.

    Raises:
        HyperboleError: As ``load``.
    """
    experiment = _experiment(source)
    lengths = dict(experiment.trials.group_by("run").len().iter_rows())
    best = dict(incumbent_trials(experiment.trials).select("run", "loss").iter_rows())
    rows = [_run_row(run, lengths.get(run.id, 0), best.get(run.id)) for run in experiment.runs]
    return pl.DataFrame(rows, schema=schema_of(RUNS))


def trials(source: Source) -> pl.DataFrame:
    """One row per trial, with the columns of ``analysis.runs.columns.TRIALS``.

    Raises:
        HyperboleError: As ``load``.
    """
    return _experiment(source).trials


def violations(source: Source) -> pl.DataFrame:
    """One row per violation, of proposals and of candidates, with the columns of ``analysis.runs.columns.VIOLATIONS``.

    A violation of a candidate that was proposed is listed once, for the proposal.

    Raises:
        HyperboleError: As ``load``.
    """
    rows = []
    for found in _experiment(source).invalid:
        shown = found.row if found.candidate is None else found.row["candidates"][found.candidate]
        place = {**_place(found.run), "index": int(found.row["index"]), "candidate": found.candidate}
        is_sure = knew_grid(found.run.info)
        rows += [place | _violation(violation, is_sure) for violation in shown["violations"]]
    return pl.DataFrame(rows, schema=schema_of(VIOLATIONS))


def calls(source: Source) -> pl.DataFrame:
    """One row per language-model call, with the columns of ``analysis.runs.columns.CALLS``; prompts are in calls.jsonl.

    Raises:
        HyperboleError: As ``load``.
    """
    rows = []
    for run in _experiment(source).runs:
        found = read_calls(run.folder / "calls.jsonl")
        asked = _trials_by_call(run) if found else {}
        rows += [_place(run) | _call_row(call, asked) for call in found]
    return pl.DataFrame(rows, schema=schema_of(CALLS))


def _experiment(source: Source) -> Experiment:
    return source if isinstance(source, Experiment) else load(source)


def _place(run: Run) -> dict[str, Any]:
    return {"run": run.id, "method": run.method, "task": run.task, "seed": run.seed}


def _run_row(run: Run, trials: int, incumbent: float | None) -> dict[str, Any]:
    info, first = run.info, run.info["objectives"][0]
    objective = Objective(first["name"], first["direction"])
    return _place(run) | {
        "benchmark": info["benchmark"],
        "optimizer": info["optimizer"],
        "llm": info["llm"],
        "objective": first["name"],
        "direction": first["direction"],
        "optimum": finite(first.get("optimum")),
        "trials": trials,
        "incumbent": incumbent,
        "best": None if incumbent is None else objective.value(incumbent),
        "started_at": _text(info.get("started_at")),
        "finished_at": _text(info.get("finished_at")),
        "host": _text(info.get("host")),
        "commit": _text((info.get("git") or {}).get("commit")),
        "folder": str(run.folder),
    }


def _violation(violation: Mapping[str, Any], is_sure: bool) -> dict[str, Any]:
    known = is_sure or not perhaps_off_grid(violation)
    return {
        "fault": violation["fault"],
        "group": GROUP_OF[Fault(violation["fault"])].value if known else None,
        "name": _text(violation["name"]),
        "value": json.dumps(violation["value"]),
        "steps": finite(violation.get("steps")),
        "confused": _text(violation.get("confused")),
    }


def _trials_by_call(run: Run) -> dict[int, int]:
    """Call -> the first trial that was read from it."""
    found: dict[int, int] = {}
    for row in read_rows(run.folder / "trials.jsonl"):
        for call in row.get("calls") or ():
            found.setdefault(call, row["index"])
    return found


def _call_row(call: Call, asked: Mapping[int, int]) -> dict[str, Any]:
    limit = call.sampling.get("max_tokens")
    return {
        "id": call.id,
        "index": None if call.id is None else asked.get(call.id),
        "started_at": call.started_at,
        "seconds": call.seconds,
        "attempts": None if call.usage is None else call.usage.calls,
        **{each.column: getattr(call.usage, each.name, None) for each in OF_A_CALL},
        "finish_reason": _text(call.finish_reason),
        "mode": _text(call.sampling.get("mode")),
        "temperature": finite(call.sampling.get("temperature")),
        "max_tokens": limit if isinstance(limit, int) and 0 <= limit < 2**63 else None,
        "reply": _text(call.reply),
        "error": _text(call.error),
        "server": _text(call.server),
        "model": _text(call.model),
    }


def _text(value: object) -> str | None:
    """Text with ``?`` for lone surrogates, which a model can write and a frame cannot hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None
