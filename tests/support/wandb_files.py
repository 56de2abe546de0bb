"""Made-up runs, and a reader for the files W&B writes offline (0.31 ships none in Python)."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.jsonl import encode

_HEADER_BYTES = 7
_BLOCK_BYTES = 32768


@dataclass
class OfflineRun:
    """The contents of one ``offline-run-*`` folder."""

    folder: Path
    run: Any
    config: dict[str, Any]
    history: list[dict[str, Any]]
    summary: dict[str, Any]
    exit_code: int | None

    def without_clock(self) -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if k not in ("_timestamp", "_runtime")} for row in self.history]

    def table(self, key: str) -> dict[str, Any]:
        (entry,) = (row[key] for row in self.history if key in row)
        return json.loads((self.folder / "files" / entry["path"]).read_text(encoding="utf-8"))


def read_offline(directory: Path) -> list[OfflineRun]:
    return [_read(path) for path in sorted(directory.glob("wandb/offline-run-*/run-*.wandb"))]


def _read(path: Path) -> OfflineRun:
    read = OfflineRun(path.parent, None, {}, [], {}, None)
    for record in _records(path.read_bytes()):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            read.run = record.run
            read.config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        elif kind == "history":
            read.history.append(_nested(record.history.item))
        elif kind == "summary":
            read.summary |= _nested(record.summary.update)
        elif kind == "exit":
            read.exit_code = record.exit.exit_code
    return read


def _nested(items: Any) -> dict[str, Any]:
    """Values by key; nested keys become nested dictionaries."""
    values: dict[str, Any] = {}
    for item in items:
        *path, last = item.nested_key or [item.key]
        inner = values
        for key in path:
            inner = inner.setdefault(key, {})
        inner[last] = json.loads(item.value_json)
    return values


def _records(data: bytes) -> list[Any]:
    """The records of a LevelDB log: blocks of 32 KiB holding fragments with a header of checksum, length and type."""
    from wandb.proto import wandb_internal_pb2

    assert data[:4] == b":W&B"
    records, parts, position = [], [], _HEADER_BYTES
    while position < len(data):
        left = _BLOCK_BYTES - position % _BLOCK_BYTES
        if left < _HEADER_BYTES:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        position += _HEADER_BYTES
        parts.append(data[position : position + length])
        position += length
        if kind in (1, 4):  # a whole record, or its last fragment
            record = wandb_internal_pb2.Record()
            record.ParseFromString(b"".join(parts))
            records.append(record)
            parts = []
    return records


def run_json(seed: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "schema": 2,
        "status": "running",
        "error": None,
        "experiment": "quick",
        "benchmark": "hpobench",
        "task": "credit_g",
        "method": "llm_chat+decoding=free",
        "optimizer": "llm_chat",
        "llm": "smollm2_135m",
        "choices": {"benchmark": "hpobench", "optimizer": "llm_chat", "llm": "smollm2_135m", "decoding": "free"},
        "settings": {},
        "seed": seed,
        "objectives": [{"name": "accuracy", "direction": "maximize", "optimum": 0.75, "worst": 0.25}],
        "random_search_curve": None,
        "budget": {"proposals": 4, "evaluations": None, "tokens": None, "seconds": None},
        "config": {
            "seed": seed,
            "benchmark": {"_target_": "benchmarks.hpobench.hpobench.HPOBench", "task": "credit_g"},
            "llm": {"api_key": "sk-very-secret", "api_key_env": "OPENAI_API_KEY", "max_tokens": 256},
        },
        **changes,
    }


def row(index: int, *, loss: float | None = None, **changes: Any) -> dict[str, Any]:
    evaluated = loss is not None
    return {
        "index": index,
        "proposed": {"depth": 2},
        "violations": [],
        "duplicate_of": None,
        "near_duplicate_of": None,
        "repair": None,
        "executed": {"depth": 2} if evaluated else None,
        "fidelity": None,
        "losses": {"accuracy": loss} if evaluated else None,
        "metrics": {"f1": 0.5} if evaluated else None,
        "evaluation_seconds": 2.0 if evaluated else None,
        "ask_seconds": 0.5,
        "usage": {
            "calls": 1,
            "prompt_tokens": 100,
            "cached_tokens": 80,
            "completion_tokens": 10,
            "seconds": 0.25,
            "reasoning_tokens": 4,
        },
        "calls": [index],
        "note": None,
        "error": None,
        "started_at": "2026-01-01T00:00:00.000+00:00",
        **changes,
    }


UNKNOWN = {"fault": "unknown", "name": "colour", "value": "red"}
CANDIDATES = [
    {"proposed": {"depth": 2}, "violations": [], "call": 2, "score": 0.5, "note": None},
    {"proposed": {"colour": "red"}, "violations": [UNKNOWN], "call": 2, "score": None, "note": None},
    {"proposed": {"depth": 3}, "violations": [], "call": None, "score": 0.1, "note": "not the model's"},
]

FOUR_ROWS = [
    row(0, loss=-0.5),
    row(
        1,
        proposed={"depth": 16, "colour": "red"},
        near_duplicate_of=0,
        violations=[
            {"fault": "out_of_range", "name": "depth", "value": 16},
            {"fault": "missing", "name": "width", "value": None},
            {"fault": "unknown", "name": "colour", "value": "red"},
        ],
    ),
    row(2, loss=-0.625, duplicate_of=0, candidates=CANDIDATES),
    row(
        3,
        proposed=None,
        violations=[{"fault": "unparseable", "name": None, "value": None}],
        usage={"calls": 2, "prompt_tokens": 200, "cached_tokens": None, "completion_tokens": 20, "seconds": 0.5},
        calls=[3, 4],
    ),
]
"""Two valid trials, one of them a duplicate, and two invalid ones, the last without a count of cached tokens."""


def write_run(
    runs: Path, run: dict[str, Any], rows: list[dict[str, Any]], replies: dict[int, str] | None = None
) -> Path:
    """The run's folder, with its files written as the harness writes them."""
    task = f"{run['benchmark']}.{run['task']}"
    folder = runs / run["experiment"] / task / run["method"] / str(run["seed"])
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "trials.jsonl").write_text("".join(encode(r) + "\n" for r in rows))
    if replies:
        said = {number: replies.get(number, "{}") for number in range(max(replies) + 1)}
        calls = [{"id": number, "messages": [], "reply": reply} for number, reply in said.items()]
        (folder / "calls.jsonl").write_text("".join(encode(call) + "\n" for call in calls))
    return folder
