"""Counters of server and machine during commands, from ``sweeps.jsonl``, versus the records of the runs."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.present.table import OVER_WHOLE_RUNS, Column, Entry, Findings, Table, frame_of
from analysis.runs.calls import Call
from analysis.runs.recorded_sweeps import Sweep, read_sweeps
from analysis.stats.material import Material
from harness.visible import visible

COLUMNS = (
    Column("started", ("started_at",), "text"),
    Column("host", ("host",), "text"),
    Column("time (s)", ("seconds",)),
    Column("runs", ("runs",), "count"),
    Column("requests", ("requests",), "count"),
    Column("prompt tokens", ("prompt_tokens",), "count"),
    Column("cached (%)", ("cached_share",), "percent"),
    Column("completion tokens", ("generation_tokens",), "count"),
    Column("recorded tokens", ("recorded_tokens",), "count"),
    Column("unrecorded tokens", ("unrecorded_tokens",), "count"),
    Column("GPU (J)", ("gpu_joules",)),
    Column("CPU (J)", ("cpu_joules",)),
)
OF_A_SERVER = ("requests", "prompt_tokens", "cached_share", "generation_tokens", "recorded_tokens", "unrecorded_tokens")


def sweep_findings(of: Material) -> Findings:
    """The table, if commands were recorded."""
    sweeps = read_sweeps(of.experiment)
    return Findings((sweeps_table(sweeps),)) if sweeps else Findings()


def sweeps_table(sweeps: tuple[Sweep, ...]) -> Table:
    """One row per command."""
    rows = [_row(sweep) for sweep in sweeps]
    silent = [
        (number, key)
        for number, sweep in enumerate(sweeps)
        if sweep.line.get("server") is None and not sweep.calls
        for key in OF_A_SERVER
    ]
    notes = (
        "Counters of the language-model server and of the machine between the start and the end of a command; they "
        "include other users and are then an upper bound. Recorded tokens: prompt and completion tokens reported by "
        "the runs' replies. Unrecorded tokens: the server's additional count, such as attempts that timed out, or "
        "calls of others. Cached: share of the prompt tokens found in the prefix cache. Energy: all NVIDIA devices "
        "and all processors of the host.",
        *_reasons(sweeps),
    )
    return Table(
        "sweeps",
        "Sweeps: counters of server and machine",
        frame_of(rows, COLUMNS),
        COLUMNS,
        notes,
        frozenset(silent),
    )


def _row(sweep: Sweep) -> dict[str, object]:
    line = sweep.line
    server = line.get("server") or {}
    counted: Mapping[str, int] = server.get("counters") or {}
    recorded = [call for calls in sweep.calls.values() for call in calls if _went_to(call, server.get("url"))]
    tokens = sum(call.tokens for call in recorded)
    row: dict[str, object] = {
        "started_at": str(line["started_at"])[:19],
        "host": visible(str(line.get("host"))),
        "seconds": line.get("seconds"),
        "runs": len(line["runs"]),
        "recorded_tokens": tokens,
        "gpu_joules": sweep.joules("gpu_joules"),
        "cpu_joules": sweep.joules("cpu_joules"),
    }
    if counted:
        looked_up = counted["prefix_cache_queries"]
        row |= {key: counted[key] for key in ("requests", "prompt_tokens", "generation_tokens")}
        row["cached_share"] = counted["prefix_cache_hits"] / looked_up if looked_up else None
        row["unrecorded_tokens"] = counted["prompt_tokens"] + counted["generation_tokens"] - tokens
    return row


def _went_to(call: Call, url: str | None) -> bool:
    return url is None or call.server is None or call.server in url.split()  # several servers: a space between each


def _reasons(sweeps: tuple[Sweep, ...]) -> list[str]:
    """Reasons why a quantity was not measured, each once."""
    found: dict[str, None] = {}
    for sweep in sweeps:
        energy, server = (sweep.line.get(key) or {} for key in ("energy", "server"))
        told = {"GPU": "gpu_joules", "CPU": "cpu_joules"}
        reasons = {what: (energy.get("reasons") or {}).get(key, energy.get("reason")) for what, key in told.items()}
        for what, reason in {**reasons, "Server": server.get("reason")}.items():
            if reason:
                found.setdefault(f"{what} not measured: {visible(str(reason)).rstrip('.')}.")
    return list(found)


TABLE = Entry(190, sweep_findings, whole=OVER_WHOLE_RUNS)
