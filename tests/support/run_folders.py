"""Writes run folders in the on-disk contract, so that analysis is tested without running anything."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from harness.faults import catalogue
from harness.jsonl import Appender, encode
from harness.method import NAMED
from harness.record import SCHEMA

USAGE = {"calls": 0, "prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, "seconds": 0.0}
OBJECTIVE = {"name": "balanced_accuracy", "direction": "maximize", "optimum": 0.8, "worst": 0.5}
CURVE = [-0.7, -0.72, -0.73, -0.735, -0.74]
TIME = "2026-01-02T03:04:05+00:00"


def trial(index: int, value: float | None = None, **changes: Any) -> dict[str, Any]:
    """A row of ``trials.jsonl``: valid with the reported value, or not evaluated if it is None."""
    row: dict[str, Any] = {
        "index": index,
        "proposed": {"depth": 1 + index % 3, "alpha": 0.1},
        "violations": [],
        "duplicate_of": None,
        "repair": None,
        "executed": None if value is None else {"depth": 1 + index % 3, "alpha": 0.1},
        "fidelity": None,
        "losses": None if value is None else {"balanced_accuracy": -value},
        "metrics": None if value is None else {"f1": 0.5},
        "evaluation_seconds": None if value is None else 2.0,
        "ask_seconds": 0.25,
        "usage": USAGE,
        "calls": [],
        "note": None,
        "error": None,
        "started_at": TIME,
    }
    return row | changes


def fault(kind: str, name: str | None = None, value: Any = None) -> dict[str, Any]:
    """A violation."""
    return {"fault": kind, "name": name, "value": value}


def call(number: int, reply: str, **changes: Any) -> dict[str, Any]:
    """A row of ``calls.jsonl``."""
    row: dict[str, Any] = {
        "id": number,
        "hash": "0" * 64,
        "messages": [{"role": "user", "content": "Propose a configuration."}],
        "sampling": {"mode": "free", "schema": None, "temperature": 0.8, "max_tokens": 128, "seed": 1},
        "reply": reply,
        "finish_reason": "stop",
        "usage": USAGE | {"calls": 1, "prompt_tokens": 100, "completion_tokens": 20, "seconds": 0.2},
        "seconds": 0.2,
        "attempts": 1,
        "server": "http://127.0.0.1:8077/v1",
        "model": "smollm2-135m-instruct",
        "started_at": TIME,
    }
    return row | changes


def at(seconds: float) -> str:
    """The time this many seconds after ``TIME``."""
    return (datetime.fromisoformat(TIME) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def identity(method: str, task: str = "credit_g", benchmark: str = "hpobench") -> dict[str, Any]:
    """The fields ``choices`` and ``settings`` of a run with these folder names."""
    optimizer, *parts = method.split("+")
    told = dict(part.partition("=")[::2] for part in parts)
    named, *of_task = task.split("+")
    choices = {"benchmark": benchmark, "optimizer": optimizer} | {key: told[key] for key in NAMED if key in told}
    settings = {f"benchmark.{key}": value for key, _, value in (part.partition("=") for part in of_task)}
    for key, value in told.items():
        if key not in NAMED:
            settings[key if key.partition(".")[0] in NAMED else f"optimizer.{key}"] = yaml.safe_load(value)
    return {"choices": choices, "settings": {"benchmark.task": named, **settings}}


def write_run(
    experiment: Path,
    method: str,
    seed: int,
    trials: Sequence[Mapping[str, Any]],
    calls: Sequence[Mapping[str, Any]] = (),
    task: str = "credit_g",
    benchmark: str = "hpobench",
    **changes: Any,
) -> Path:
    """Write one run's folder; ``changes`` replace fields of ``run.json``."""
    optimizer = method.split("+", maxsplit=1)[0]
    llm = "smollm2" if optimizer.startswith("llm") else None
    info: dict[str, Any] = {
        "schema": SCHEMA,
        "status": "complete",
        "error": None,
        "started_at": TIME,
        "finished_at": TIME,
        "experiment": experiment.name,
        "benchmark": benchmark,
        "task": task,
        "method": method,
        "optimizer": optimizer,
        "llm": llm,
        **identity(method, task, benchmark),
        "seed": seed,
        "objectives": [OBJECTIVE],
        "faults": catalogue(),
        "random_search_curve": CURVE,
        "budget": {"proposals": len(trials), "evaluations": None, "tokens": None, "seconds": None},
        "config": {"seed": seed, "optimizer": {"_target_": f"optimizers.{optimizer}.X"}, "api_key": "hush"},
        "git": {"commit": "a" * 40, "dirty": False},
        "versions": {"python": "3.11.7", "numpy": "2.3.5"},
    }
    folder = experiment / f"{benchmark}.{task}" / method / str(seed)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(encode(info | changes), encoding="ascii")
    for name, rows in {"trials.jsonl": trials, "calls.jsonl": calls}.items():
        if rows or name == "trials.jsonl":
            file = Appender(folder / name)
            for row in rows:
                file.write(dict(row))
            file.close()
    return folder


def noisy_run(
    experiment: Path,
    method: str,
    seed: int,
    task: str = "credit_g",
    proposals: int = 20,
    invalid: float = 0.0,
    level: float = 0.78,
) -> Path:
    """A run with plausible random rows: values rise towards ``level``, a share of the proposals is invalid."""
    draw = random.Random(f"{method} {seed} {task}").random  # the one method whose stream Python keeps across versions
    kinds = ["missing"] * 9 + ["unparseable"] * 6 + ["out_of_range"] * 4 + ["unknown"] * 3 + ["wrong_type", "truncated"]
    is_llm = method.startswith("llm")
    rows, calls = [], []
    for index in range(proposals):
        row = trial(index, 0.5 + (level - 0.5) * draw() ** (1 / (1 + index)))
        if draw() < invalid:
            faults = {kinds[int(draw() * len(kinds))] for _ in range(1 + int(draw() * 2))}
            row = trial(index, None, violations=[fault(kind, "depth", 16) for kind in sorted(faults)])
        if is_llm:
            row["usage"] = {
                "calls": 1,
                "prompt_tokens": 300 + 20 * index,
                "cached_tokens": 200,
                "completion_tokens": 60,
            }
            row["usage"]["seconds"] = 0.2
            row["calls"] = [index]
            reply = f'Sure! {{"depth": {index}, "learning rate": "fast"}} <b>end</b>'
            calls.append(call(index, reply, started_at=at(index)))
        rows.append(row)
    curve = [-(0.8 - 0.1 / (k + 1) ** 0.7) for k in range(proposals)]
    return write_run(experiment, method, seed, rows, calls, task=task, random_search_curve=curve)


METHODS = {"random_search": (0.0, 0.79), "smac": (0.0, 0.8), "llm_chat": (0.8, 0.74)}
METHODS["llm_chat+decoding=json_schema"] = (0.02, 0.76)


def noisy_experiment(folder: Path, seeds: int = 3, proposals: int = 20) -> Path:
    """Four methods on two tasks."""
    for method, (invalid, level) in METHODS.items():
        for task in ("credit_g", "kc1"):
            for seed in range(seeds):
                noisy_run(folder, method, seed, task, proposals, invalid, level)
    return folder


TRADE_OFF = [OBJECTIVE, {"name": "train_seconds", "direction": "minimize", "optimum": None, "worst": None}]


def outcome(index: int, accuracy: float, seconds: float, **changes: Any) -> dict[str, Any]:
    """A row of a task with two objectives, ``TRADE_OFF``."""
    return trial(index, accuracy, losses={"balanced_accuracy": -accuracy, "train_seconds": seconds}, **changes)


def noisy_trade_offs(folder: Path, seeds: int = 3, proposals: int = 8) -> Path:
    """Two methods on a task with two objectives and test scores, with and without the leak; some evaluations fail."""
    for method in ("random_search", "smac"):
        for task, leak in {"31+model=svm": 0.0, "31+leak=v1+model=svm": 0.05}.items():
            for seed in range(seeds):
                draw = random.Random(f"{method} {seed} {task}").random
                rows = []
                for index in range(proposals):
                    accuracy, seconds = 0.6 + 0.15 * draw(), 10 ** (3 * draw())
                    row = outcome(
                        index,
                        accuracy + leak,
                        seconds,
                        metrics={"test_balanced_accuracy": accuracy - 0.02 * draw()},
                        evaluation_seconds=seconds,
                    )
                    if draw() < 0.2:
                        reason = "Out of time: stopped after 30 s." if draw() < 0.6 else "ValueError: gamma | is <0"
                        none = dict.fromkeys(("losses", "metrics"))
                        row |= none | {"error": reason, "evaluation_seconds": 30.0}
                    rows.append(row)
                write_run(folder, method, seed, rows, task=task, objectives=TRADE_OFF, random_search_curve=None)
    return folder
