"""What was counted while a command ran, from ``sweeps.jsonl``, beside what its runs wrote down themselves."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.present.table import OVER_WHOLE_RUNS, Column, Entry, Findings, Table, frame_of
from analysis.runs.calls import Call
from analysis.runs.recorded_sweeps import Sweep, read_sweeps
from analysis.stats.material import Material
from harness.visible import visible

COLUMNS = (
    Column("begun", ("started_at",), "text"),
    Column("host", ("host",), "text"),
    Column("time (s)", ("seconds",)),
    Column("runs", ("runs",), "count"),
    Column("requests", ("requests",), "count"),
    Column("prompt tokens", ("prompt_tokens",), "count"),
    Column("of them cached (%)", ("cached_share",), "percent"),
    Column("tokens written", ("generation_tokens",), "count"),
    Column("tokens on record", ("recorded_tokens",), "count"),
    Column("not on record", ("unrecorded_tokens",), "count"),
    Column("GPU (J)", ("gpu_joules",)),
    Column("CPU (J)", ("cpu_joules",)),
)
OF_A_SERVER = ("requests", "prompt_tokens", "cached_share", "generation_tokens", "recorded_tokens", "unrecorded_tokens")


def sweep_findings(of: Material) -> Findings:
    """The table, where commands were recorded."""
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
        "Counted by the language-model server and by the machine between the start and the end of a command, whoever "
        "used them: an upper bound where others did. Tokens on record: read and written, as the runs' replies said "
        "them. Not on record: what the server counted beyond that, such as attempts that timed out, or others' calls. "
        "of them cached: prompt tokens found in the prefix cache, of those looked up. Energy: all of the host's NVIDIA "
        "devices; all of its processors.",
        *_reasons(sweeps),
    )
    return Table(
        "sweeps",
        "Sweeps: what the server and the machine counted",
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
    tokens = sum(call.usage.tokens for call in recorded)
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
    return url is None or call.server is None or call.server == url


def _reasons(sweeps: tuple[Sweep, ...]) -> list[str]:
    """Why something was not measured, each reason once."""
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
