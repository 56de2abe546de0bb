"""Divide the joules of a sweep among its runs, by tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from analysis.runs.calls import Call, read_calls
from analysis.runs.load import Experiment
from analysis.runs.recorded_sweeps import Sweep, read_sweeps

KINDS = {"gpu_joules": "GPU", "cpu_joules": "CPU"}


def run_joules(experiment: Experiment) -> dict[str, float | None]:
    """Joules of each run's language model: run id -> its share of the measurements of its sweeps, by tokens.

    Every complete run is a key. None: not measured, or a run without a language model (``run.info["llm"]`` tells
    which). The kinds of ``measured_kinds`` are added up.
    """
    sweeps = read_sweeps(experiment)
    kinds = measured_kinds(sweeps)
    parts: dict[str, float] = {}
    covered: dict[str, Counter[Call]] = {}
    for sweep in sweeps:
        joules = sum(sweep.joules(kind) or 0.0 for kind in kinds)
        tokens = {run_id: sum(call.tokens for call in calls) for run_id, calls in sweep.calls.items()}
        for run_id, part in attributed(joules, tokens).items():
            parts[run_id] = parts.get(run_id, 0.0) + part
            covered.setdefault(run_id, Counter()).update(sweep.calls[run_id])
    used: dict[str, float | None] = dict.fromkeys(run.id for run in experiment.runs)
    for run in experiment.runs:
        if kinds and run.info["llm"] is not None and run.id in parts:
            calls = Counter(read_calls(run.folder / "calls.jsonl"))
            # Calls in no sweep, in two concurrent sweeps or on another machine: a part is unknown.
            if covered[run.id] == calls and all(call.is_local for call in calls):
                used[run.id] = parts[run.id]
    return used


def measured_kinds(sweeps: Sequence[Sweep]) -> tuple[str, ...]:
    """Keys of ``KINDS`` that every sweep with calls measured; others would make runs incomparable."""
    called = [sweep for sweep in sweeps if sweep.calls]
    return tuple(kind for kind in KINDS if called and all(sweep.joules(kind) is not None for sweep in called))


def attributed(joules: float, tokens: Mapping[str, int]) -> dict[str, float]:
    """Joules divided among runs in proportion to their tokens, prompt and completion."""
    total = sum(tokens.values())
    return {run_id: joules * count / total if total else 0.0 for run_id, count in tokens.items()}
